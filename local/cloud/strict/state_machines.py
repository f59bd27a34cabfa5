"""Which limits and refusals of Step Functions are imposed on state machines of the embedded cloud."""

import json
import uuid
from collections.abc import Callable
from types import ModuleType
from typing import Any

from local.cloud import ministack
from local.cloud.strict.chances import Fate

# "Step Functions service quotas", maximum input or output size: 256 KiB as UTF-8 (AWS guide, read 2026-11).
DATA_BYTES = 256 * 1024
_STATES = ("_execute_task", "_execute_pass", "_execute_choice", "_execute_wait", "_execute_parallel", "_execute_map")


def apply(fate: Fate) -> None:
    """Impose every rule of this module."""
    engine = ministack.module("services.stepfunctions")
    lost_starts(engine, fate)
    input_size(engine)
    data_size(engine)
    express_runs_twice(engine)
    express_cannot_be_followed(engine)
    standard_is_not_synchronous(engine)


def input_size(engine: ModuleType) -> None:
    """Refuse to start with more than 256 KiB (StartExecution, parameter `input`)."""
    for name in ("_start_execution", "_start_sync_execution"):
        _refuse_if(
            engine,
            name,
            lambda data: len(data.get("input", "").encode()) > DATA_BYTES,
            ("ValidationException", f"Value at 'input' failed to satisfy constraint: at most {DATA_BYTES} bytes"),
        )


def data_size(engine: ModuleType) -> None:
    """Fail with States.DataLimitExceeded where what a state gives or hands to a task is over 256 KiB.

    As "Handling errors in Step Functions workflows" says; no Catch of States.ALL holds it.
    """

    def check(what: str, value: object) -> None:
        size = len(json.dumps(value, ensure_ascii=False).encode())
        if size > DATA_BYTES:
            message = f"The {what} is {size} bytes, more than the maximum of {DATA_BYTES}."
            raise engine._ExecutionError("States.DataLimitExceeded", message)

    def checked(execute: Callable[..., Any]) -> Callable[..., Any]:
        def execute_and_check(*given: object) -> object:
            output, following = execute(*given)
            check("output of the state", output)
            return output, following

        return execute_and_check

    for name in _STATES:
        ministack.replace(engine, name, checked(getattr(engine, name)))
    invoke = engine._invoke_resource

    def check_and_invoke(resource: str, arguments: object) -> object:
        check("input of the task", arguments)
        return invoke(resource, arguments)

    ministack.replace(engine, "_invoke_resource", check_and_invoke)


def lost_starts(engine: ModuleType, fate: Fate) -> None:
    """Let an execution die before its first state, now and then, though its start was acknowledged.

    It goes beyond AWS, where Express has no history to tell that it happened: what must hold is that nothing waits.
    """
    run = engine._run_execution

    def run_unless_lost(execution_arn: str) -> None:
        if fate.strikes(fate.chances.lost_starts):
            engine._fail_execution(engine._executions[execution_arn], "States.Runtime", "lost, as fate willed")
            return
        run(execution_arn)

    ministack.replace(engine, "_run_execution", run_unless_lost)


def express_runs_twice(engine: ModuleType) -> None:
    """Run each asynchronous Express execution twice under names of its own, so that no name is ever taken.

    "Choosing workflow type": at-least-once, executions are not deduplicated by name.
    """
    start = engine._start_execution

    def start_twice(data: dict[str, Any]) -> Any:  # noqa: ANN401 - a response of ministack
        if not is_express(engine, data.get("stateMachineArn", "")):
            return start(data)
        status, headers, body = start({**data, "name": str(uuid.uuid4())})
        start({**data, "name": str(uuid.uuid4())})
        started = json.loads(body)
        if "executionArn" in started:
            prefix, _, run = started["executionArn"].rpartition(":")
            name = data.get("name") or run
            started["executionArn"] = f"{prefix.replace(':execution:', ':express:')}:{name}:{run}"
        return status, headers, json.dumps(started).encode()

    ministack.replace(engine, "_start_execution", start_twice)


def express_cannot_be_followed(engine: ModuleType) -> None:
    """Refuse to describe, stop or list what is Express (so says the reference of each action)."""
    invalid = ("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: express'")
    for name in ("_describe_execution", "_stop_execution", "_get_execution_history"):
        _refuse_if(engine, name, lambda data: is_express_execution(engine, data.get("executionArn", "")), invalid)
    unsupported = ("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")
    _refuse_if(
        engine, "_list_executions", lambda data: is_express(engine, data.get("stateMachineArn", "")), unsupported
    )


def standard_is_not_synchronous(engine: ModuleType) -> None:
    """Refuse StartSyncExecution of a Standard machine (StateMachineTypeNotSupported)."""
    unsupported = ("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")

    def is_standard(data: dict[str, Any]) -> bool:
        machine = data.get("stateMachineArn", "")
        return machine in engine._state_machines and not is_express(engine, machine)

    _refuse_if(engine, "_start_sync_execution", is_standard, unsupported)


def is_express(engine: ModuleType, machine_arn: str) -> bool:
    """Tell whether a machine that exists is an Express one."""
    machine = engine._state_machines.get(machine_arn)
    return bool(machine) and machine["type"] == "EXPRESS"


def is_express_execution(engine: ModuleType, execution_arn: str) -> bool:
    """Tell whether an execution is of an Express machine, by its ARN or by what is kept of it."""
    execution = engine._executions.get(execution_arn)
    return ":express:" in execution_arn or (bool(execution) and is_express(engine, execution["stateMachineArn"]))


def _refuse_if(
    engine: ModuleType, action: str, applies: Callable[[dict[str, Any]], bool], refusal: tuple[str, str]
) -> None:
    ministack.require(engine, action)
    act = getattr(engine, action)

    def act_unless(data: dict[str, Any]) -> object:
        return engine.error_response_json(*refusal, 400) if applies(data) else act(data)

    ministack.replace(engine, action, act_unless)
