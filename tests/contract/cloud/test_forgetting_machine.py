"""The forget machine against functions that play its steps: pages, passes, the wait between them, and a failure."""

import pytest

from tests.asl.states import tasks
from tests.contract.cloud.conftest import Cloud
from tests.contract.cloud.played import Ended, play

DONE, MORE = {"done": True}, {"done": False}
SIGNED, AGAIN = {"signed": True, "wait_seconds": 0}, {"signed": False, "wait_seconds": 1}
FAILED = {"state": "failed"}


def run(cloud: Cloud, **plays: list[object]) -> Ended:
    """Run the machine once; each step plays its part, the last for good. Return status, states entered, and history."""
    usual = {"SignReceipt": [SIGNED], "FailErasure": [FAILED]}
    given = {task.step: plays.get(task.step, usual.get(task.step, [DONE])) for task in tasks("forget")}
    return play(cloud, "forget", given, {"erasure_id": "era_1"})


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
