"""The answer machine of the repository in process: its own states and its real steps, over any services and clock.

An execution is a generator of moments, one before and one after each step, so that a test decides who goes on when,
and kills whom it likes. Retries wait no time; a machine whose time is over ends where it is, as on AWS.
"""

import importlib
import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonata
import msgspec

from plinth.contracts.runs import Run
from plinth.runtime import step
from plinth.wiring import Services
from tests.fakes.clock import FakeClock

DEFINITION = Path("statemachines/answer.asl.json")
LAMBDA = SimpleNamespace(aws_request_id="request-1", memory_limit_in_mb=256)
Moments = Generator[str, None, Any]
Scope = Mapping[str, Any]
_EXPRESSION = re.compile(r"\{%(.*)%\}", re.DOTALL)


class StateError(Exception):
    """A step failed under this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class TimedOutError(Exception):
    """The execution took longer than its machine may."""


@dataclass
class AnswerMachine:
    """Starts executions; each has a name of its own."""

    services: Services
    clock: FakeClock
    definition: dict[str, Any] = field(default_factory=lambda: json.loads(DEFINITION.read_text()))
    numbers: Iterator[int] = field(default_factory=count)
    handlers: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def execution(self, run: Run) -> Moments:
        """Return an execution of the run that has begun now; it ends by itself, or where it is left."""
        began = {"Id": f"execution-{next(self.numbers)}", "StartTime": _iso(self.clock.now())}
        return self._within_its_time(run, {"Execution": began, "StateMachine": {"Id": "answer"}})

    def _within_its_time(self, run: Run, context: Scope) -> Moments:
        until = self.clock.now() + self.definition["TimeoutSeconds"]
        walk = self._walk(self.definition, {"run": msgspec.to_builtins(run)}, context, {})
        try:
            for moment in walk:
                if self.clock.now() > until:
                    raise TimedOutError(moment)
                yield moment
        except StateError as failed:
            return failed.name
        return None

    def _walk(self, machine: Mapping[str, Any], given: Any, context: Scope, variables: dict[str, Any]) -> Moments:
        name: str | None = machine["StartAt"]
        while name:
            state, entered = machine["States"][name], _iso(self.clock.now())
            here = {**context, "State": {"Name": name, "EnteredTime": entered}}
            given, name = yield from getattr(self, f"_{state['Type'].lower()}")(state, given, here, variables)
        return given

    def _task(self, state: Mapping[str, Any], given: Any, context: Scope, variables: dict[str, Any]) -> Moments:
        name = context["State"]["Name"]
        tries: dict[int, int] = {}
        while True:
            try:
                arguments = _filled(state["Arguments"], variables, input=given, context=context)
                yield f"before {name}"
                result = self._call(state, arguments)
                yield f"after {name}"
            except StateError as failed:
                if not self._tries_again(state, failed, tries):
                    return _caught(state, failed, given, context, variables)
            else:
                return _finished(state, given, result, context, variables)

    def _call(self, state: Mapping[str, Any], arguments: Any) -> Any:
        began = self.clock.now()
        try:
            result = self.handler(state["Resource"])(json.loads(json.dumps(arguments)), LAMBDA)
        except Exception as error:
            raise StateError(type(error).__name__) from error
        if self.clock.now() - began > state["TimeoutSeconds"]:
            raise StateError("States.Timeout")
        return json.loads(json.dumps(result))

    def handler(self, resource: str) -> Callable[..., Any]:
        if resource not in self.handlers:
            folder = re.sub(r"(?<!^)(?=[A-Z])", "_", resource[2:-4]).lower()
            function = getattr(importlib.import_module(f"functions.{folder}.handler"), folder)
            self.handlers[resource] = step(function, services=self.services)
        return self.handlers[resource]

    def _tries_again(self, state: Mapping[str, Any], failed: StateError, tries: dict[int, int]) -> bool:
        for number, retrier in enumerate(state.get("Retry", [])):
            if failed.name in retrier["ErrorEquals"]:
                tries[number] = tries.get(number, 0) + 1
                return tries[number] <= retrier["MaxAttempts"]
        return False

    def _parallel(self, state: Mapping[str, Any], given: Any, context: Scope, variables: dict[str, Any]) -> Moments:
        results = []
        for branch in state["Branches"]:
            results.append((yield from self._walk(branch, given, context, dict(variables))))
        return _finished(state, given, results, context, variables)

    def _map(self, state: Mapping[str, Any], given: Any, context: Scope, variables: dict[str, Any]) -> Moments:
        results = []
        for index, item in enumerate(_filled(state["Items"], variables, input=given, context=context)):
            here = {**context, "Map": {"Item": {"Index": index, "Value": item}}}
            selected = _filled(state["ItemSelector"], variables, input=given, context=here)
            results.append((yield from self._walk(state["ItemProcessor"], selected, here, dict(variables))))
        return _finished(state, given, results, context, variables)

    def _choice(self, state: Mapping[str, Any], given: Any, context: Scope, variables: dict[str, Any]) -> Moments:
        told = {"input": given, "context": context}
        rules = (rule for rule in state["Choices"] if _filled(rule["Condition"], variables, **told))
        rule = next(rules, {**state, "Next": state["Default"]})
        output = _filled(rule.get("Output", given), variables, **told)
        variables.update(_filled(rule.get("Assign", {}), variables, **told))
        return output, rule["Next"]
        yield

    def _wait(self, state: Mapping[str, Any], given: Any, context: Scope, variables: dict[str, Any]) -> Moments:
        self.clock.advance(_filled(state["Seconds"], variables, input=given, context=context))
        yield f"after {context['State']['Name']}"
        return given, state["Next"]

    def _pass(self, state: Mapping[str, Any], given: Any, context: Scope, variables: dict[str, Any]) -> Moments:
        return _finished(state, given, given, context, variables)
        yield

    def _succeed(self, _state: Mapping[str, Any], given: Any, *_: object) -> Moments:
        return given, None
        yield

    def _fail(self, state: Mapping[str, Any], *_: object) -> Moments:
        raise StateError(state["Error"])
        yield


def _finished(state: Mapping[str, Any], given: Any, result: Any, context: Scope, variables: dict[str, Any]) -> Any:
    """Return the state's output and what follows, and assign its variables: all read what was before."""
    told = {"input": given, "result": result, "context": context}
    output = _filled(state["Output"], variables, **told) if "Output" in state else result
    variables.update(_filled(state.get("Assign", {}), variables, **told))
    return output, state.get("Next")


def _caught(state: Mapping[str, Any], failed: StateError, given: Any, context: Scope, variables: dict[str, Any]) -> Any:
    for rule in state.get("Catch", []):
        if failed.name in rule["ErrorEquals"] or "States.ALL" in rule["ErrorEquals"]:
            told = {"input": given, "errorOutput": {"Error": failed.name}, "context": context}
            output = _filled(rule["Output"], variables, **told) if "Output" in rule else told["errorOutput"]
            variables.update(_filled(rule.get("Assign", {}), variables, **told))
            return output, rule["Next"]
    raise failed


def _filled(template: Any, variables: Mapping[str, Any], **states: Any) -> Any:
    """Return the template with its expressions worked out."""
    match template:
        case str() if found := _EXPRESSION.fullmatch(template):
            return _value(found[1], variables, states)
        case dict():
            return {name: _filled(part, variables, **states) for name, part in template.items()}
        case _:
            return template


def _value(expression: str, variables: Mapping[str, Any], states: Mapping[str, Any]) -> Any:
    null = jsonata.utils.Utils.NULL_VALUE
    bound = {name: null if value is None else value for name, value in variables.items()} | {"states": states}
    value = jsonata.Jsonata.jsonata(expression).evaluate(None, bound)
    if value is None and not jsonata.Jsonata.jsonata(f"$exists(({expression}))").evaluate(None, bound):
        raise StateError("States.QueryEvaluationError")
    return value


def _iso(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
