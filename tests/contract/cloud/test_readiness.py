"""Which functions have an environment before their first call, and that it changes nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.deploy import deploy
from local.processes import stop
from tests.contract.cloud.conftest import ROLE, Cloud, eventually, new_cloud, unique
from tests.contract.cloud.test_deploy import Assembly
from tests.contract.cloud.test_state_machines import task

NOTES_ITS_START = """
import os, pathlib, time
time.sleep({init_seconds})
(pathlib.Path("{folder}") / str(os.getpid())).touch()
def handler(event, context):
    time.sleep(event.get("seconds", 0))
    return ["{answer}", os.getpid()]
"""


class Starts:
    """A function's code that leaves a file named by the process each time an environment has imported it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def code(self, *, answer: str = "first", init_seconds: float = 0) -> str:
        return NOTES_ITS_START.format(folder=self.folder, answer=answer, init_seconds=init_seconds)

    def processes(self) -> list[int]:
        return sorted(int(file.name) for file in self.folder.iterdir())


@pytest.fixture
def starts(tmp_path: Path) -> Starts:
    return Starts(tmp_path / "starts")


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    folder = tmp_path / "assembly"
    folder.mkdir()
    return Assembly(folder)


@pytest.fixture
def own_cloud(tmp_path: Path) -> Iterator[Cloud]:
    running = new_cloud(tmp_path / "home")
    yield running
    stop([running.child])


def function(source: str, **properties: Any) -> dict[str, Any]:
    common = {"Handler": "index.handler", "Runtime": "python3.13", "Role": ROLE, "Timeout": 10}
    return {"Type": "AWS::Lambda::Function", "Properties": {**common, "Code": {"ZipFile": source}, **properties}}


def machine(name: str, *, kind: str = "EXPRESS") -> dict[str, Any]:
    """Return a machine with a task of the function within a branch of a Parallel state."""
    branch = {"StartAt": "Call", "States": {"Call": task("${Arn}")}}
    states = {"Both": {"Type": "Parallel", "Branches": [branch], "End": True}}
    definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "Both", "States": states})
    substitutions = {"Arn": {"Fn::GetAtt": [name, "Arn"]}}
    properties = {
        "DefinitionString": definition,
        "DefinitionSubstitutions": substitutions,
        "StateMachineType": kind,
        "RoleArn": ROLE,
    }
    return {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}


def deployed(cloud: Cloud, assembly: Assembly, stack: str, resources: dict[str, Any]) -> dict[str, str]:
    """Deploy functions, each with an output of its name."""
    outputs = {
        name: {"Value": {"Ref": name}}
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Lambda::Function"
    }
    assembly.stack(stack, resources, Outputs=outputs)
    return deploy(assembly.folder, cloud.endpoint)[stack]


def test_a_function_of_an_express_machine_has_its_environment_before_its_first_call(
    cloud: Cloud, assembly: Assembly, starts: Starts
) -> None:
    resources = {"Answer": function(starts.code()), "Chain": machine("Answer")}
    names = deployed(cloud, assembly, unique("Stack"), resources)
    [process] = eventually(starts.processes)
    assert cloud.invoke(names["Answer"], {}) == ["first", process]


def test_a_function_that_no_express_machine_calls_is_started_by_its_first_call(
    cloud: Cloud, assembly: Assembly, starts: Starts, tmp_path: Path
) -> None:
    unhurried = Starts(tmp_path / "unhurried")
    resources = {
        "Ingest": function(unhurried.code()),
        "Batch": machine("Ingest", kind="STANDARD"),
        "Alone": function(unhurried.code()),
        "Answer": function(starts.code()),
        "Chain": machine("Answer"),
    }
    names = deployed(cloud, assembly, unique("Stack"), resources)
    eventually(starts.processes)
    assert unhurried.processes() == []
    cloud.invoke(names["Ingest"], {})
    assert len(unhurried.processes()) == 1


def test_a_call_that_comes_while_the_environment_is_being_made_waits_for_it(
    cloud: Cloud, assembly: Assembly, starts: Starts
) -> None:
    """And a function of which one call is allowed at once is not throttled by it."""
    slow = function(starts.code(init_seconds=1), ReservedConcurrentExecutions=1)
    names = deployed(cloud, assembly, unique("Stack"), {"Answer": slow, "Chain": machine("Answer")})
    assert cloud.invoke(names["Answer"], {})[0] == "first"
    assert len(starts.processes()) == 1


def test_new_code_is_prepared_in_an_environment_of_its_own(cloud: Cloud, assembly: Assembly, starts: Starts) -> None:
    stack = unique("Stack")
    resources = {"Answer": function(starts.code()), "Chain": machine("Answer")}
    deployed(cloud, assembly, stack, resources)
    [old] = eventually(starts.processes)
    names = deployed(cloud, assembly, stack, {**resources, "Answer": function(starts.code(answer="second"))})
    eventually(lambda: len(starts.processes()) == 2)
    [new] = set(starts.processes()) - {old}
    assert cloud.invoke(names["Answer"], {}) == ["second", new]
    assert not Path(f"/proc/{old}").exists()


def test_a_function_that_can_not_be_imported_spoils_no_other_and_says_so_at_its_first_call(
    cloud: Cloud, assembly: Assembly, starts: Starts
) -> None:
    resources = {
        "Broken": function("import nowhere"),
        "First": machine("Broken"),
        "Answer": function(starts.code()),
        "Second": machine("Answer"),
    }
    names = deployed(cloud, assembly, unique("Stack"), resources)
    eventually(starts.processes)
    assert cloud.invoke(names["Broken"])["errorType"] == "Runtime.ImportModuleError"


@pytest.mark.parametrize("is_killed", [False, True])
def test_prepared_environments_end_with_the_cloud_ready_or_not(
    own_cloud: Cloud, assembly: Assembly, starts: Starts, tmp_path: Path, *, is_killed: bool
) -> None:
    unready = Starts(tmp_path / "unready")
    early = "import os, pathlib, time\n(pathlib.Path('{0}') / str(os.getpid())).touch()\ntime.sleep(60)"
    resources = {
        "Answer": function(starts.code()),
        "First": machine("Answer"),
        "Hangs": function(early.format(unready.folder)),
        "Second": machine("Hangs"),
    }
    deployed(own_cloud, assembly, unique("Stack"), resources)
    [ready], [starting] = eventually(starts.processes), eventually(unready.processes)
    if is_killed:
        own_cloud.child.process.kill()
    else:
        own_cloud.child.process.terminate()
    own_cloud.child.process.wait(timeout=10)
    eventually(lambda: not any(Path(f"/proc/{process}").exists() for process in (ready, starting)))
