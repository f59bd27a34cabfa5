"""The export machine against functions that play its steps: pages until there are no more, and a failure."""

import json

from tests.asl.states import load, tasks
from tests.contract.cloud.conftest import Cloud
from tests.contract.cloud.test_forgetting_machine import DONE, MORE, PLAYER


def run(cloud: Cloud, **plays: list[object]) -> tuple[str, list[str]]:
    """Run the machine once; return its status and the task states entered."""
    text = json.dumps(load("export"))
    for task in tasks("export"):
        function = cloud.function(PLAYER.format(plays=plays.get(task.step, [{"failed": True}])))
        text = text.replace(f"${{{task.step}Arn}}", function)
    definition = json.loads(text)
    machine = cloud.machine(definition["States"], kind="STANDARD", StartAt=definition["StartAt"])
    steps = cloud.client("stepfunctions")
    job = {"job": {"id": "exp_1", "tenant": {"id": "acme"}}}
    started = steps.start_execution(stateMachineArn=machine, input=json.dumps(job))
    status = cloud.ended(started["executionArn"])["status"]
    history = steps.get_execution_history(executionArn=started["executionArn"], maxResults=1000)["events"]
    entered = [each["stateEnteredEventDetails"]["name"] for each in history if "stateEnteredEventDetails" in each]
    return status, [name for name in entered if name in {task.name for task in tasks("export")}]


def test_data_is_collected_until_there_is_no_more(cloud: Cloud) -> None:
    assert run(cloud, CollectData=[MORE, MORE, DONE]) == ("SUCCEEDED", ["CollectData"] * 3)


def test_an_error_that_no_retry_mends_is_noted_and_fails_the_machine(cloud: Cloud) -> None:
    assert run(cloud, CollectData=["break"]) == ("FAILED", ["CollectData", "FailExport"])
