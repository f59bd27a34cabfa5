"""The state machines as data: every task state in any nesting, and what its expressions name."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path("statemachines")
MACHINES = sorted(path.name.removesuffix(".asl.json") for path in FOLDER.glob("*.asl.json"))
STARTS = "arn:aws:states:::states:startExecution"
_RESOURCE = re.compile(r"\$\{(\w+)Arn\}")
_RESULT_FIELD = re.compile(r"\$states\.result(?:\[\d+\])?\.result\.(\w+)")


@dataclass(frozen=True)
class Task:
    """One task state: where it stands, its name, and its definition."""

    machine: str
    name: str
    state: dict[str, Any]

    @property
    def step(self) -> str:
        """The step that its resource placeholder names."""
        match = _RESOURCE.fullmatch(self.state["Arguments"]["FunctionName"] if self.waits else self.state["Resource"])
        assert match, f"{self.name}: what it calls must be one ${{<Step>Arn}} placeholder"
        return match[1]

    @property
    def waits(self) -> bool:
        """Whether it waits for its task token to come back, long after its function has ended."""
        return bool(self.state["Resource"] == "arn:aws:states:::lambda:invoke.waitForTaskToken")

    @property
    def payload(self) -> dict[str, Any]:
        """The function's event."""
        arguments: dict[str, Any] = self.state["Arguments"]
        return arguments["Payload"] if self.waits else arguments

    @property
    def folder(self) -> str:
        """The function's folder: RetrieveContext is retrieve_context."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", self.step).lower()

    @property
    def used_outputs(self) -> set[str]:
        """The fields of the step's result that the state's own expressions read."""
        return set(_RESULT_FIELD.findall(json.dumps({key: self.state.get(key) for key in ("Assign", "Output")})))


def load(machine: str) -> dict[str, Any]:
    """Return a machine's definition as it lies in the repository."""
    definition: dict[str, Any] = json.loads((FOLDER / f"{machine}.asl.json").read_text())
    return definition


def every_state(states: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the states, those inside Map and Parallel included."""
    for state in states.values():
        yield state
        for branch in [*state.get("Branches", []), *filter(None, [state.get("ItemProcessor")])]:
            yield from every_state(branch["States"])


def tasks(machine: str) -> list[Task]:
    """Return every task state of a machine, those inside Map and Parallel included."""
    return list(_tasks(machine, load(machine)["States"]))


def _tasks(machine: str, states: dict[str, Any]) -> Iterator[Task]:
    for name, state in states.items():
        if state["Type"] == "Task" and not state["Resource"].startswith(STARTS):
            yield Task(machine, name, state)
        for branch in [*state.get("Branches", []), *filter(None, [state.get("ItemProcessor")])]:
            yield from _tasks(machine, branch["States"])
