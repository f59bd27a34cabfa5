"""Our machines in the embedded cloud, with functions that play their steps."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tests.asl.states import load, tasks
from tests.contract.cloud.conftest import Cloud

_PLAYER = """
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


class Ended(NamedTuple):
    """How an execution ended: its status, the task states that it entered, and its whole history."""

    status: str
    entered: list[str]
    history: str


def definition(machine: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the definition of a machine with each `${name}` of it filled in."""
    text = json.dumps(load(machine))
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    filled: dict[str, Any] = json.loads(text)
    return filled


def created(cloud: Cloud, filled: Mapping[str, Any]) -> str:
    """Create the Standard machine of a definition; return its ARN."""
    return cloud.machine(filled["States"], kind="STANDARD", StartAt=filled["StartAt"])


def ingest_machine(cloud: Cloud) -> str:
    """Create what stands for the ingest machine, and fails for a document called `bad`; return its ARN."""
    fails = {"Condition": "{% $states.input.document.document_id = 'bad' %}", "Next": "Bad"}
    return cloud.machine(
        {
            "Judge": {"Type": "Choice", "Choices": [fails], "Default": "Good"},
            "Bad": {"Type": "Fail", "Error": "IngestBrokeError", "Cause": "it broke"},
            "Good": {"Type": "Pass", "End": True},
        },
        kind="STANDARD",
    )


def play(cloud: Cloud, machine: str, plays: Mapping[str, Sequence[object]], given: object) -> Ended:
    """Run a machine once; each step plays its part, the last for good, and "break" is an error."""
    functions = {
        f"{task.step}Arn": cloud.function(_PLAYER.format(plays=list(plays[task.step]))) for task in tasks(machine)
    }
    arn, steps = created(cloud, definition(machine, functions)), cloud.client("stepfunctions")
    execution = steps.start_execution(stateMachineArn=arn, input=json.dumps(given))["executionArn"]
    status = cloud.ended(execution)["status"]
    history = steps.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    names = [each["stateEnteredEventDetails"]["name"] for each in history if "stateEnteredEventDetails" in each]
    states = {task.name for task in tasks(machine)}
    return Ended(status, [name for name in names if name in states], str(history))
