"""That state machines in JSONata run in the embedded cloud as they run on AWS."""

import json
import time
from typing import Any

import pytest

from tests.contract.cloud.conftest import Cloud, unique

FLAKY = """
import time
class TransientModelError(Exception): pass
calls = []
def handler(event, context):
    calls.append(time.monotonic())
    if len(calls) <= event["failures"]:
        raise TransientModelError("busy")
    return {"calls": len(calls), "gaps": [b - a for a, b in zip(calls, calls[1:])]}
"""


def task(function: str, **fields: Any) -> dict[str, Any]:
    """Return a Task that hands its input to a function; it ends the machine unless told otherwise."""
    arguments = {"FunctionName": function, "Payload": "{% $states.input %}"}
    ending = {} if "Next" in fields else {"End": True}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": arguments,
        "Output": "{% $states.result.Payload %}",
        **ending,
        **fields,
    }


def retry(*errors: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"ErrorEquals": list(errors), "MaxAttempts": 3, "BackoffRate": 1.0, "IntervalSeconds": 1, **fields}]


def test_a_task_hands_its_input_to_a_function_and_its_answer_on(cloud: Cloud) -> None:
    function = cloud.function("def handler(event, context): return {'doubled': 2 * event['n']}")
    answer = cloud.run(cloud.machine({"Double": task(function)}), {"n": 21})
    assert answer["status"] == "SUCCEEDED"
    assert answer["output"] == {"doubled": 42}


def test_an_execution_starts_at_once(cloud: Cloud) -> None:
    machine = cloud.machine({"Done": {"Type": "Pass", "End": True}})
    took = []
    for _ in range(5):
        started = time.monotonic()
        cloud.run(machine)
        took.append(time.monotonic() - started)
    assert min(took) < 0.1


def test_variables_are_assigned_from_input_and_result_and_read_by_later_states(cloud: Cloud) -> None:
    function = cloud.function("def handler(event, context): return {'cost': 7}")
    states = {
        "Keep": {"Type": "Pass", "Assign": {"question": "{% $states.input.question %}"}, "Next": "Ask"},
        "Ask": task(function, Assign={"cost": "{% $states.result.Payload.cost %}"}, Next="Tell"),
        "Tell": {"Type": "Pass", "Output": {"q": "{% $question %}", "c": "{% $cost + 1 %}"}, "End": True},
    }
    assert cloud.run(cloud.machine(states), {"question": "why"})["output"] == {"q": "why", "c": 8}


def test_a_succeed_state_and_a_choice_default_give_their_output(cloud: Cloud) -> None:
    states = {
        "Choose": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.n > 5 %}", "Output": "big", "Next": "Done"}],
            "Default": "Done",
            "Output": "small",
        },
        "Done": {"Type": "Succeed", "Output": {"size": "{% $states.input %}"}},
    }
    machine = cloud.machine(states)
    assert cloud.run(machine, {"n": 9})["output"] == {"size": "big"}
    assert cloud.run(machine, {"n": 1})["output"] == {"size": "small"}


def test_a_parallel_state_takes_arguments_gives_output_and_keeps_variables_of_branches_apart(cloud: Cloud) -> None:
    def branch(value: int) -> dict[str, Any]:
        first = {"Type": "Pass", "Assign": {"mine": value}, "Next": "Wait"}
        wait = {"Type": "Wait", "Seconds": value - 1, "Next": "Last"}
        last = {"Type": "Pass", "Output": "{% $states.input.n + $mine + $outer %}", "End": True}
        return {"StartAt": "First", "States": {"First": first, "Wait": wait, "Last": last}}

    states = {
        "Keep": {"Type": "Pass", "Assign": {"outer": 100}, "Next": "Both"},
        "Both": {
            "Type": "Parallel",
            "Arguments": {"n": "{% $states.input.start * 10 %}"},
            "Branches": [branch(1), branch(2)],
            "Output": {"sum": "{% $sum($states.result) %}"},
            "Assign": {"results": "{% $states.result %}"},
            "Next": "Tell",
        },
        "Tell": {"Type": "Pass", "Output": ["{% $results %}", "{% $states.input.sum %}"], "End": True},
    }
    assert cloud.run(cloud.machine(states), {"start": 5})["output"] == [[151, 152], 303]


def test_a_map_runs_each_item_with_its_own_input_and_keeps_their_order(cloud: Cloud) -> None:
    function = cloud.function("def handler(event, context): return event['item'] * event['by']")
    states = {
        "Each": {
            "Type": "Map",
            "Items": "{% $states.input.items %}",
            "ItemSelector": {"item": "{% $states.context.Map.Item.Value %}", "by": "{% $states.input.by %}"},
            "MaxConcurrency": 2,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "Times",
                "States": {"Times": task(function)},
            },
            "End": True,
        }
    }
    assert cloud.run(cloud.machine(states), {"items": [1, 2, 3], "by": 3})["output"] == [3, 6, 9]


def test_a_distributed_map_runs_each_item_as_an_execution_and_gives_its_output(cloud: Cloud) -> None:
    function = cloud.function("def handler(event, context): return event['item'] * event['by']")
    states = {
        "Each": {
            "Type": "Map",
            "Items": "{% $states.input.items %}",
            "ItemSelector": {"item": "{% $states.context.Map.Item.Value %}", "by": "{% $states.input.by %}"},
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                "StartAt": "Times",
                "States": {"Times": task(function)},
            },
            "Assign": {"sum": "{% $sum($states.result) %}"},
            "Output": "{% $count($states.result) %}",
            "Next": "Tell",
        },
        "Tell": {"Type": "Pass", "Output": ["{% $sum %}", "{% $states.input %}"], "End": True},
    }
    machine = cloud.machine(states, kind="STANDARD")
    client = cloud.client("stepfunctions")
    given = json.dumps({"items": [1, 2, 3], "by": 3})
    started = client.start_execution(stateMachineArn=machine, input=given)["executionArn"]
    assert cloud.ended(started)["output"] == [18, 3]


def test_a_wait_takes_its_seconds_from_an_expression(cloud: Cloud) -> None:
    states = {"Hold": {"Type": "Wait", "Seconds": "{% $states.input.retry_after %}", "End": True}}
    started = time.monotonic()
    cloud.run(cloud.machine(states), {"retry_after": 1})
    assert 0.9 < time.monotonic() - started < 3


def test_a_retry_matches_the_error_by_name_and_waits_its_interval(cloud: Cloud) -> None:
    states = {"Ask": task(cloud.function(FLAKY), Retry=retry("TransientModelError"))}
    answer = cloud.run(cloud.machine(states), {"failures": 1})
    assert answer["output"]["calls"] == 2
    assert 0.9 < answer["output"]["gaps"][0] < 3


def test_a_retry_delay_is_cut_at_its_maximum(cloud: Cloud) -> None:
    capped = retry("States.ALL", IntervalSeconds=1, BackoffRate=60.0, MaxDelaySeconds=2)
    answer = cloud.run(cloud.machine({"Ask": task(cloud.function(FLAKY), Retry=capped)}), {"failures": 2})
    first, second = answer["output"]["gaps"]
    assert 0.9 < first < 1.9
    assert 1.9 < second < 3


def test_a_retry_of_another_error_does_not_apply(cloud: Cloud) -> None:
    states = {"Ask": task(cloud.function(FLAKY), Retry=retry("PermanentModelError"))}
    answer = cloud.run(cloud.machine(states), {"failures": 1})
    assert (answer["status"], answer["error"]) == ("FAILED", "TransientModelError")
    assert json.loads(answer["cause"])["errorMessage"] == "busy"


def test_a_catch_gets_the_error_name_and_the_cause(cloud: Cloud) -> None:
    catch = {
        "ErrorEquals": ["TransientModelError"],
        "Assign": {"failed": "{% $states.errorOutput.Error %}"},
        "Output": "{% $parse($states.errorOutput.Cause).errorMessage %}",
        "Next": "Tell",
    }
    states = {
        "Ask": task(cloud.function(FLAKY), Catch=[catch]),
        "Tell": {"Type": "Pass", "Output": ["{% $failed %}", "{% $states.input %}"], "End": True},
    }
    assert cloud.run(cloud.machine(states), {"failures": 1})["output"] == ["TransientModelError", "busy"]


@pytest.mark.parametrize(
    ("source", "options", "error"),
    [
        ("import time\ndef handler(e, c): time.sleep(9)", {"Timeout": 1}, "Sandbox.Timedout"),
        ("import os\ndef handler(e, c): os._exit(1)", {}, "Runtime.ExitError"),
        ("import absent\ndef handler(e, c): pass", {}, "Runtime.ImportModuleError"),
    ],
)
def test_a_function_that_does_not_answer_fails_its_task_with_a_name(
    cloud: Cloud, source: str, options: dict[str, Any], error: str
) -> None:
    assert cloud.run(cloud.machine({"Ask": task(cloud.function(source, **options))}))["error"] == error


def test_a_throttled_function_fails_its_task_with_a_name(cloud: Cloud) -> None:
    function = cloud.function("def handler(e, c): pass")
    cloud.client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    assert cloud.run(cloud.machine({"Ask": task(function)}))["error"] == "Lambda.TooManyRequestsException"


def test_a_state_that_overruns_fails_with_a_timeout(cloud: Cloud) -> None:
    function = cloud.function("import time\ndef handler(e, c): time.sleep(3)")
    assert cloud.run(cloud.machine({"Ask": task(function, TimeoutSeconds=1)}))["error"] == "States.Timeout"


def test_a_machine_that_overruns_is_timed_out(cloud: Cloud) -> None:
    machine = cloud.machine({"Hold": {"Type": "Wait", "Seconds": 9, "End": True}}, TimeoutSeconds=1)
    started = time.monotonic()
    assert cloud.run(machine)["status"] == "TIMED_OUT"
    assert time.monotonic() - started < 3


def test_a_fail_state_names_its_error_and_cause(cloud: Cloud) -> None:
    states = {"Refuse": {"Type": "Fail", "Error": "BudgetSpentError", "Cause": "{% $states.input.why %}"}}
    answer = cloud.run(cloud.machine(states), {"why": "no money"})
    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "BudgetSpentError", "no money")


def test_an_expression_without_a_result_fails_by_name(cloud: Cloud) -> None:
    answer = cloud.run(cloud.machine({"Tell": {"Type": "Pass", "Output": "{% $states.input.absent %}", "End": True}}))
    assert answer["error"] == "States.QueryEvaluationError"


def test_an_express_execution_is_not_kept(cloud: Cloud) -> None:
    machine = cloud.machine({"Done": {"Type": "Pass", "End": True}})
    execution = cloud.run(machine, {"secret": 1})["executionArn"]
    states = cloud.client("stepfunctions")
    with pytest.raises(states.exceptions.ExecutionDoesNotExist):
        states.describe_execution(executionArn=execution)


def test_a_standard_execution_is_kept_with_its_history_and_deduplicated_by_name(cloud: Cloud) -> None:
    states = cloud.client("stepfunctions")
    machine = cloud.machine({"Done": {"Type": "Pass", "Output": "done", "End": True}}, kind="STANDARD")
    name = unique("run")
    started = states.start_execution(stateMachineArn=machine, name=name, input="{}")["executionArn"]
    described = cloud.ended(started)
    assert (described["status"], described["output"]) == ("SUCCEEDED", "done")
    kinds = [event["type"] for event in states.get_execution_history(executionArn=started)["events"]]
    assert kinds == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(stateMachineArn=machine, name=name, input='{"other": 1}')


def test_a_stopped_execution_stays_aborted(cloud: Cloud) -> None:
    states = cloud.client("stepfunctions")
    function = cloud.function("import time\ndef handler(e, c): time.sleep(1); raise ValueError('late')")
    machine = cloud.machine({"Ask": task(function)}, kind="STANDARD")
    started = states.start_execution(stateMachineArn=machine)["executionArn"]
    states.stop_execution(executionArn=started)
    time.sleep(1.5)
    assert states.describe_execution(executionArn=started)["status"] == "ABORTED"


def test_a_machine_writes_to_dynamodb_and_starts_another_machine(cloud: Cloud) -> None:
    table = unique("table")
    cloud.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    put = {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:putItem",
        "Arguments": {
            "TableName": table,
            "Item": {"pk": {"S": "{% $states.input.id %}"}},
            "ConditionExpression": "attribute_not_exists(pk)",
        },
        "Catch": [{"ErrorEquals": ["DynamoDB.ConditionalCheckFailedException"], "Output": "taken", "Next": "Tell"}],
        "Output": "mine",
        "Next": "Tell",
    }
    machine = cloud.machine({"Claim": put, "Tell": {"Type": "Pass", "End": True}})
    assert [cloud.run(machine, {"id": "a"})["output"] for _ in range(2)] == ["mine", "taken"]
