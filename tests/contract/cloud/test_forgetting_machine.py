"""The forget machine against functions that play its steps: pages, passes, the wait between them, and a failure."""

import json

import pytest

from tests.asl.states import load, tasks
from tests.contract.cloud.conftest import Cloud

PLAYER = """
class PlinthError(Exception): pass
plays = {plays!r}
calls = []
def handler(event, context):
    calls.append(event)
    play = plays[min(len(calls), len(plays)) - 1]
    if play == "break":
        raise PlinthError("it is refused")
    return {{"result": play, "step": {{}}}}
"""
DONE, MORE = {"done": True}, {"done": False}
SIGNED, AGAIN = {"signed": True, "wait_seconds": 0}, {"signed": False, "wait_seconds": 1}
FAILED = {"state": "failed"}


def run(cloud: Cloud, **plays: list[object]) -> tuple[str, list[str], str]:
    """Run the machine once; each step plays its part, the last for good. Return status, states entered, and history."""
    text = json.dumps(load("forget"))
    for task in tasks("forget"):
        usual = {"SignReceipt": [SIGNED], "FailErasure": [FAILED]}.get(task.step, [DONE])
        function = cloud.function(PLAYER.format(plays=plays.get(task.step, usual)))
        text = text.replace(f"${{{task.step}Arn}}", function)
    definition = json.loads(text)
    machine = cloud.machine(definition["States"], kind="STANDARD", StartAt=definition["StartAt"])
    steps = cloud.client("stepfunctions")
    started = steps.start_execution(stateMachineArn=machine, input=json.dumps({"erasure_id": "era_1"}))
    status = cloud.ended(started["executionArn"])["status"]
    history = steps.get_execution_history(executionArn=started["executionArn"], maxResults=1000)["events"]
    entered = [each["stateEnteredEventDetails"]["name"] for each in history if "stateEnteredEventDetails" in each]
    return status, [name for name in entered if name in {task.name for task in tasks("forget")}], str(history)


def test_a_step_is_called_until_it_is_through_and_the_receipt_comes_last(cloud: Cloud) -> None:
    status, entered, _ = run(cloud, EraseObjects=[MORE, MORE, DONE], EraseRows=[MORE, DONE])

    assert status == "SUCCEEDED"
    assert entered == [*["EraseObjects"] * 3, "EraseIndex", "EraseRows", "EraseRows", "SignReceipt"]


@pytest.mark.guarantee_d
def test_an_unsigned_pass_is_followed_by_another_over_all_stores(cloud: Cloud) -> None:
    status, entered, _ = run(cloud, SignReceipt=[AGAIN, SIGNED])

    assert status == "SUCCEEDED"
    assert entered == ["EraseObjects", "EraseIndex", "EraseRows", "SignReceipt"] * 2


@pytest.mark.parametrize("step", ["EraseObjects", "EraseIndex", "EraseRows", "SignReceipt"])
def test_an_error_that_no_retry_mends_is_told_of_and_fails_the_machine(cloud: Cloud, step: str) -> None:
    status, entered, history = run(cloud, **{step: ["break"]})

    assert status == "FAILED"
    assert entered[-2:] == [step, "FailErasure"]
    assert "PlinthError" in history
