"""That strict mode refuses what AWS refuses though ministack allows it."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.cloud.conftest import Cloud, eventually, unique
from tests.contract.cloud.test_api import call, create_api
from tests.contract.cloud.test_state_machines import task

BIG = "def handler(event, context): return 'x' * event"

MAP_AND_ONE: dict[str, Any] = {":map": {"M": {}}, ":one": {"N": "1"}}


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=code)


def counting_table(cloud: Cloud) -> str:
    name = unique("table")
    cloud.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def test_a_state_that_gives_more_than_256_kib_ends_the_execution_whatever_it_catches(strict_cloud: Cloud) -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    states = {
        "Ask": task(strict_cloud.function(BIG), Catch=catch, Next="Done"),
        "Done": {"Type": "Pass", "End": True},
        "Caught": {"Type": "Pass", "End": True},
    }
    machine = strict_cloud.machine(states)
    assert strict_cloud.run(machine, 262_000)["status"] == "SUCCEEDED"
    assert strict_cloud.run(machine, 262_144)["error"] == "States.DataLimitExceeded"


def test_a_task_is_not_handed_more_than_256_kib(strict_cloud: Cloud) -> None:
    function = strict_cloud.function("def handler(event, context): return 0")
    double = {"FunctionName": function, "Payload": ["{% $states.input %}", "{% $states.input %}"]}
    machine = strict_cloud.machine({"Ask": task(function, Arguments=double)})
    assert strict_cloud.run(machine, "x" * 200_000)["error"] == "States.DataLimitExceeded"


def test_an_execution_is_not_started_with_more_than_256_kib(strict_cloud: Cloud) -> None:
    machine = strict_cloud.machine({"Done": {"Type": "Pass", "End": True}})
    with refused("ValidationException"):
        strict_cloud.run(machine, "x" * 262_144)


def test_an_express_execution_runs_twice_and_its_name_is_never_taken(strict_cloud: Cloud) -> None:
    table = counting_table(strict_cloud)
    source = f"""
import boto3
def handler(event, context):
    boto3.client("dynamodb").update_item(TableName="{table}", Key={{"pk": {{"S": "runs"}}}},
        UpdateExpression="ADD n :one", ExpressionAttributeValues={{":one": {{"N": "1"}}}})
"""
    machine = strict_cloud.machine({"Count": task(strict_cloud.function(source))})
    states = strict_cloud.client("stepfunctions")
    arns = [states.start_execution(stateMachineArn=machine, name="same")["executionArn"] for _ in range(2)]
    assert all(":express:" in arn and ":same:" in arn for arn in arns)
    assert len(set(arns)) == 2

    def runs() -> int:
        item = strict_cloud.client("dynamodb").get_item(TableName=table, Key={"pk": {"S": "runs"}}).get("Item")
        return int(item["n"]["N"]) if item else 0

    eventually(lambda: runs() >= 4)
    time.sleep(0.3)
    assert runs() == 4


def test_an_express_execution_can_be_neither_described_nor_stopped_nor_listed(strict_cloud: Cloud) -> None:
    machine = strict_cloud.machine({"Hold": {"Type": "Wait", "Seconds": 1, "End": True}})
    states = strict_cloud.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    for action in (states.describe_execution, states.stop_execution, states.get_execution_history):
        with refused("InvalidArn"):
            action(executionArn=execution)
    with refused("StateMachineTypeNotSupported"):
        states.list_executions(stateMachineArn=machine)


def test_a_standard_machine_is_not_run_synchronously(strict_cloud: Cloud) -> None:
    machine = strict_cloud.machine({"Done": {"Type": "Pass", "End": True}}, kind="STANDARD")
    with refused("StateMachineTypeNotSupported"):
        strict_cloud.run(machine)


def test_a_state_waits_for_a_standard_machine_and_hears_that_its_name_is_taken(strict_cloud: Cloud) -> None:
    inner = strict_cloud.machine({"Give": {"Type": "Pass", "Output": {"given": 7}, "End": True}}, kind="STANDARD")
    outer = strict_cloud.machine(
        {
            "Wait": {
                "Type": "Task",
                "Resource": "arn:aws:states:::states:startExecution.sync:2",
                "Arguments": {"StateMachineArn": inner, "Name": "once", "Input": {}},
                "Output": "{% $states.result.Output.given %}",
                "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Error %}", "Next": "End"}],
                "Next": "End",
            },
            "End": {"Type": "Pass", "End": True},
        },
        kind="STANDARD",
    )
    states = strict_cloud.client("stepfunctions")
    ended = [strict_cloud.ended(states.start_execution(stateMachineArn=outer)["executionArn"]) for _ in range(2)]
    assert [each["output"] for each in ended] == [7, "StepFunctions.ExecutionAlreadyExistsException"]


def test_a_function_neither_takes_nor_gives_more_than_6_mb(strict_cloud: Cloud) -> None:
    function = strict_cloud.function(BIG)
    assert len(strict_cloud.invoke(function, 6_000_000)) == 6_000_000
    assert strict_cloud.invoke(function, 6_291_456)["errorType"] == "Function.ResponseSizeTooLarge"
    with refused("RequestTooLargeException"):
        strict_cloud.invoke(function, "x" * 6_291_456)


def test_a_gateway_takes_no_body_over_10_mb(strict_cloud: Cloud) -> None:
    function = strict_cloud.function("def handler(e, c): return {'statusCode': 200, 'body': '1'}")
    api = create_api(strict_cloud, function, {"/put": "POST"})
    assert call(strict_cloud, "POST", f"{api}/put", body=b"x" * 1000)[0] == 200
    status, body, _ = call(strict_cloud, "POST", f"{api}/put", body=b"x" * (10 * 1024 * 1024 + 1))
    assert (status, body) == (413, {"message": "Request Entity Too Large"})


@pytest.mark.long
def test_a_gateway_waits_29_seconds_for_a_function(strict_cloud: Cloud) -> None:
    function = strict_cloud.function("import time\ndef handler(e, c): time.sleep(31)", Timeout=40)
    api = create_api(strict_cloud, function, {"/slow": "GET"})
    started = time.monotonic()
    assert call(strict_cloud, "GET", f"{api}/slow")[0] == 504
    assert 28.5 < time.monotonic() - started < 30.5


def test_a_condition_with_arithmetic_is_refused_alone_and_in_a_transaction(strict_cloud: Cloud) -> None:
    update = {
        "TableName": counting_table(strict_cloud),
        "Key": {"pk": {"S": "a"}},
        "UpdateExpression": "SET spent = :x",
        "ConditionExpression": "spent + :x <= budget",
        "ExpressionAttributeValues": {":x": {"N": "1"}},
    }
    dynamodb = strict_cloud.client("dynamodb")
    with refused("ValidationException.*Invalid ConditionExpression: Syntax error"):
        dynamodb.update_item(**update)
    with refused("ValidationException|TransactionCanceledException"):
        dynamodb.transact_write_items(TransactItems=[{"Update": update}])


def test_an_update_may_use_arithmetic_and_names_with_a_dash(strict_cloud: Cloud) -> None:
    dynamodb = strict_cloud.client("dynamodb")
    table = counting_table(strict_cloud)
    for _ in range(2):
        dynamodb.update_item(
            TableName=table,
            Key={"pk": {"S": "a"}},
            UpdateExpression="SET #n = if_not_exists(#n, :zero) + :one",
            ConditionExpression="attribute_not_exists(#n) OR #n < :two",
            ExpressionAttributeNames={"#n": "a-b"},
            ExpressionAttributeValues={":zero": {"N": "0"}, ":one": {"N": "1"}, ":two": {"N": "2"}},
        )
    assert dynamodb.get_item(TableName=table, Key={"pk": {"S": "a"}})["Item"]["a-b"] == {"N": "2"}


@pytest.mark.parametrize("paths", ["n = :one, n = :one", "m = :map, m.x = :one"])
def test_update_paths_that_overlap_are_refused(strict_cloud: Cloud, paths: str) -> None:
    values = {value: kind for value, kind in MAP_AND_ONE.items() if value in paths}
    with refused("Two document paths overlap"):
        strict_cloud.client("dynamodb").update_item(
            TableName=counting_table(strict_cloud),
            Key={"pk": {"S": "a"}},
            UpdateExpression=f"SET {paths}",
            ExpressionAttributeValues=values,
        )
