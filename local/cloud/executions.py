"""Which faults in how ministack starts, retries, ends and keeps executions are mended; all were seen in 1.5.33."""

import contextvars
import json
import random
import threading
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from local.cloud import ministack

NESTED_POLL_SECONDS = 0.02


def apply() -> None:
    """Mend every fault of the Step Functions engine."""
    engine = ministack.module("services.stepfunctions")
    no_start_delay(engine)
    errors_that_nothing_catches(engine)
    retry_delays(engine)
    final_status(engine)
    machine_timeout(engine)
    express_is_forgotten(engine)
    callback_that_is_never_given(engine)
    nested_execution(engine)


def no_start_delay(engine: ModuleType) -> None:
    """Start an execution at once; each begins with a fixed sleep of 150 ms."""
    ministack.edit(engine, "_run_execution", "    time.sleep(0.15)\n", "")


def errors_that_nothing_catches(engine: ModuleType) -> None:
    """Keep States.Runtime and States.DataLimitExceeded from States.ALL, which catches them here and not on AWS.

    As in "Handling errors in Step Functions workflows" of the AWS guide, read 2026-11.
    """
    ministack.require(engine, "_error_matches")
    matches = engine._error_matches

    def matches_or_is_final(error_equals: list[str], error: str) -> bool:
        if error in {"States.Runtime", "States.DataLimitExceeded"}:
            return error in error_equals
        return bool(matches(error_equals, error))

    ministack.replace(engine, "_error_matches", matches_or_is_final)


def retry_delays(engine: ModuleType) -> None:
    """Honour MaxDelaySeconds and JitterStrategy of a Retry, which are ignored; and every delay is cut at 60 s."""
    names = {"retry_delay_seconds": retry_delay_seconds}
    ministack.edit(engine, "_execute_task", "min(sleep_sec, 60)", "retry_delay_seconds(retrier, count)", **names)
    delay = 'min(interval * (retrier.get("BackoffRate", 2.0) ** count), 60)'
    ministack.edit(engine, "_with_retry_and_catch", delay, "retry_delay_seconds(retrier, count)")


def retry_delay_seconds(retrier: Mapping[str, Any], retries_so_far: int) -> float:
    """Return IntervalSeconds * BackoffRate ** retries, at most MaxDelaySeconds; with jitter FULL, anything up to it.

    As in "Error handling in Step Functions workflows" of the AWS guide, read 2026-11.
    """
    delay = float(retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** retries_so_far)
    delay = min(delay, float(retrier.get("MaxDelaySeconds", delay)))
    return random.uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay  # noqa: S311 - not a secret


def final_status(engine: ModuleType) -> None:
    """Keep a stopped execution ABORTED; a failure after StopExecution turns it into FAILED."""
    ministack.require(engine, "_fail_execution")
    fail = engine._fail_execution

    def fail_if_running(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)

    ministack.replace(engine, "_fail_execution", fail_if_running)


def machine_timeout(engine: ModuleType) -> None:
    """End an execution at its machine's TimeoutSeconds, which is ignored; a state then running ends by itself."""
    ministack.require(engine, "_run_execution", "_executions", "_state_machines", "_add_event", "now_iso")
    run = engine._run_execution

    def time_out(execution: dict[str, Any]) -> None:
        execution.update(status="TIMED_OUT", error="States.Timeout", stopDate=engine.now_iso())
        engine._add_event(
            execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {"error": "States.Timeout"}}
        )
        engine._emit_execution_status_event(execution)

    def run_for_a_time(execution_arn: str) -> None:
        execution = engine._executions[execution_arn]
        machine = engine._state_machines.get(execution["stateMachineArn"])
        seconds = json.loads(machine["definition"]).get("TimeoutSeconds") if machine else None
        if seconds is None:
            run(execution_arn)
            return
        running = threading.Thread(target=contextvars.copy_context().run, args=(run, execution_arn), daemon=True)
        running.start()
        running.join(seconds)
        if execution["status"] == "RUNNING":
            time_out(execution)

    ministack.replace(engine, "_run_execution", run_for_a_time)


def express_is_forgotten(engine: ModuleType) -> None:
    """Forget an Express execution at its end, as AWS does; they are kept for ever, inputs and answers included."""
    ministack.require(engine, "_start_sync_execution", "_run_execution", "_executions", "_state_machines")
    run, start_sync = engine._run_execution, engine._start_sync_execution

    def is_express(machine_arn: str) -> bool:
        machine = engine._state_machines.get(machine_arn)
        return bool(machine) and machine["type"] == "EXPRESS"

    def run_and_forget(execution_arn: str) -> None:
        execution = engine._executions[execution_arn]
        run(execution_arn)
        if is_express(execution["stateMachineArn"]) and not execution.get("sync"):
            engine._executions.pop(execution_arn, None)

    def start_sync_and_forget(data: dict[str, Any]) -> object:
        response = start_sync(data)
        started = json.loads(response[2])
        if is_express(started.get("stateMachineArn", "")):
            engine._executions.pop(started["executionArn"], None)
        return response

    ministack.replace(engine, "_run_execution", run_and_forget)
    ministack.replace(engine, "_start_sync_execution", start_sync_and_forget)


def callback_that_is_never_given(engine: ModuleType) -> None:
    """Fail a state that waits for its task token with its function's error, so that Retry sees it; else it waits on.

    As in "Wait for a Callback with Task Token" of the AWS guide: the state fails when the request itself fails.
    """
    old = "            _call_lambda(func_ref, lambda_payload)\n        except _ExecutionError:\n            pass\n"
    new = (
        "            _call_lambda(func_ref, lambda_payload)\n        except _ExecutionError:\n"
        "            _task_tokens.pop(token, None)\n            raise\n"
    )
    ministack.edit(engine, "_invoke_with_callback", old, new)


def nested_execution(engine: ModuleType) -> None:
    """Start an execution that a state waits for as any other; it goes by StartSyncExecution, which is for Express.

    So a name was taken again while its execution ran, and strict mode refused it. Errors are named as on AWS:
    StepFunctions.ExecutionAlreadyExistsException.
    """
    ministack.require(engine, "_start_execution", "_describe_execution")

    def start_and_wait(request: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = engine._start_execution(request)
        started = json.loads(body)
        while status < 400 and json.loads(body).get("status", "RUNNING") == "RUNNING":
            time.sleep(NESTED_POLL_SECONDS)
            status, headers, body = engine._describe_execution(started)
        return status, headers, body

    function = "_invoke_nested_start_execution_sync"
    old, new = "_start_sync_execution(request)", "start_and_wait(request)"
    ministack.edit(engine, function, old, new, start_and_wait=start_and_wait)
    old, new = 'payload.get("__type", "States.Runtime")', "f\"StepFunctions.{payload['__type']}Exception\""
    ministack.edit(engine, function, old, new)
