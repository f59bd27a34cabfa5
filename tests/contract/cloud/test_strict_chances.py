"""That what strict mode leaves to chance happens when its chance is raised, and can be told apart from other faults."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.contract.cloud.conftest import Cloud, eventually, unique
from tests.contract.cloud.test_state_machines import task
from tests.contract.cloud.test_strict import counting_table, refused

Chances = Callable[..., dict[str, Any]]

ONE = {":one": {"N": "1"}}


def count(cloud: Cloud, table: str, pk: str = "a") -> int:
    item = cloud.client("dynamodb").get_item(TableName=table, Key={"pk": {"S": pk}}).get("Item")
    return int(item["n"]["N"]) if item else 0


def adding(table: str, pk: str = "a") -> dict[str, Any]:
    return {
        "TableName": table,
        "Key": {"pk": {"S": pk}},
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": ONE,
    }


def test_a_transaction_that_meets_another_write_of_its_item_is_cancelled_for_the_conflict(
    strict_cloud: Cloud, chances: Chances
) -> None:
    dynamodb, refusal, table = strict_cloud.client("dynamodb"), None, ""
    chances(transaction_conflicts=1)
    for _ in range(10):  # on a busy machine more than the half second may pass within which writes conflict
        table = counting_table(strict_cloud)
        dynamodb.update_item(**adding(table))
        try:
            dynamodb.transact_write_items(TransactItems=[{"Update": adding(table, "b")}, {"Update": adding(table)}])
        except dynamodb.exceptions.TransactionCanceledException as cancelled:
            refusal = cancelled.response
            break
    assert refusal
    assert [reason["Code"] for reason in refusal["CancellationReasons"]] == ["None", "TransactionConflict"]
    assert (count(strict_cloud, table), count(strict_cloud, table, "b")) == (1, 0)


def test_a_single_write_that_meets_a_transaction_is_refused_and_a_later_one_is_not(
    strict_cloud: Cloud, chances: Chances
) -> None:
    dynamodb, was_refused, table = strict_cloud.client("dynamodb"), False, ""
    chances(transaction_conflicts=1)
    for _ in range(10):  # as above
        table = counting_table(strict_cloud)
        dynamodb.transact_write_items(TransactItems=[{"Update": adding(table)}])
        try:
            dynamodb.update_item(**adding(table))
        except dynamodb.exceptions.TransactionConflictException:
            was_refused = True
            break
    assert was_refused
    time.sleep(0.6)
    dynamodb.update_item(**adding(table))
    assert count(strict_cloud, table) == 2


def test_a_throttled_table_answers_no_call_and_another_answers(strict_cloud: Cloud, chances: Chances) -> None:
    dynamodb, busy, idle = (
        strict_cloud.client("dynamodb"),
        counting_table(strict_cloud),
        counting_table(strict_cloud),
    )
    chances(throttled_tables=[busy])
    with refused("ProvisionedThroughputExceededException"):
        dynamodb.get_item(TableName=busy, Key={"pk": {"S": "a"}})
    with refused("ProvisionedThroughputExceededException"):
        dynamodb.transact_write_items(TransactItems=[{"Update": adding(idle)}, {"Update": adding(busy)}])
    with refused("ProvisionedThroughputExceededException"):
        dynamodb.batch_get_item(RequestItems={busy: {"Keys": [{"pk": {"S": "a"}}]}})
    dynamodb.update_item(**adding(idle))
    assert count(strict_cloud, idle) == 1


def test_a_secondary_index_shows_its_table_as_it_was(strict_cloud: Cloud, chances: Chances) -> None:
    dynamodb, table = strict_cloud.client("dynamodb"), unique("table")
    key = [{"AttributeName": "pk", "KeyType": "HASH"}]
    dynamodb.create_table(
        TableName=table,
        KeySchema=key,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "open")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "open",
                "KeySchema": [{"AttributeName": "open", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )

    def found() -> list[str]:
        items = dynamodb.query(
            TableName=table,
            IndexName="open",
            KeyConditionExpression="#open = :open",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues={":open": {"S": "yes"}},
        )["Items"]
        return [item["pk"]["S"] for item in items]

    chances(index_lag_seconds=3)
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "a"}, "open": {"S": "yes"}})
    assert found() == []
    eventually(lambda: found() == ["a"])
    dynamodb.delete_item(TableName=table, Key={"pk": {"S": "a"}})
    assert found() == ["a"]
    eventually(lambda: found() == [])


@pytest.mark.long
def test_an_item_is_still_there_long_after_it_expired(strict_cloud: Cloud) -> None:
    dynamodb, table = strict_cloud.client("dynamodb"), counting_table(strict_cloud)
    dynamodb.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
    for pk, hours in (("late", 1), ("gone", 49)):
        expired = {"N": str(int(time.time()) - hours * 3600)}
        dynamodb.put_item(TableName=table, Item={"pk": {"S": pk}, "n": {"N": "1"}, "expires_at": expired})
    eventually(lambda: count(strict_cloud, table, "gone") == 0, within_seconds=70)
    assert count(strict_cloud, table, "late") == 1


def test_a_function_beyond_the_concurrency_of_the_account_is_throttled_by_name(
    strict_cloud: Cloud, chances: Chances
) -> None:
    function = strict_cloud.function("def handler(event, context): return 1")
    machine = strict_cloud.machine({"Ask": task(function)})
    chances(concurrency=0)
    with refused("TooManyRequestsException"):
        strict_cloud.invoke(function)
    assert strict_cloud.run(machine)["error"] == "Lambda.TooManyRequestsException"
    chances(concurrency=1)
    assert strict_cloud.invoke(function) == 1


def bucket_to_queue(cloud: Cloud) -> tuple[str, str]:
    """Create a bucket whose events reach a queue through EventBridge; return the bucket and the queue's address."""
    name = unique("events")
    cloud.client("s3").create_bucket(Bucket=name)
    cloud.client("s3").put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    queue = str(cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"])
    arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
    events = cloud.client("events")
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [name]}}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    return name, queue


def received(cloud: Cloud, queue: str, *, wait_seconds: int = 1) -> list[str]:
    """Return the keys of the events that are in the queue now, as they are given."""
    keys: list[str] = []
    while True:
        answer = cloud.client("sqs").receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=wait_seconds, VisibilityTimeout=60
        )
        if not answer.get("Messages"):
            return keys
        keys += [json.loads(message["Body"])["detail"]["object"]["key"] for message in answer["Messages"]]


def put(cloud: Cloud, bucket: str, count: int) -> list[str]:
    keys = [f"{number:02}" for number in range(count)]
    for key in keys:
        cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
    return keys


def test_an_event_of_a_bucket_comes_twice_at_each_stage(strict_cloud: Cloud, chances: Chances) -> None:
    bucket, queue = bucket_to_queue(strict_cloud)
    chances(duplicate_events=1)
    put(strict_cloud, bucket, 1)
    assert received(strict_cloud, queue) == ["00"] * 8


def test_events_of_a_bucket_come_in_another_order_and_all_of_them(strict_cloud: Cloud, chances: Chances) -> None:
    bucket, queue = bucket_to_queue(strict_cloud)
    chances(late_events=1, late_event_seconds=0.3)
    keys = put(strict_cloud, bucket, 12)
    told = received(strict_cloud, queue, wait_seconds=2)
    assert told != keys
    assert sorted(told) == keys


def test_a_lost_event_reaches_nobody(strict_cloud: Cloud, chances: Chances) -> None:
    bucket, queue = bucket_to_queue(strict_cloud)
    chances(lost_events=1)
    put(strict_cloud, bucket, 1)
    assert received(strict_cloud, queue) == []


def test_a_lost_start_runs_no_state(strict_cloud: Cloud, chances: Chances) -> None:
    machine = strict_cloud.machine({"Done": {"Type": "Pass", "End": True}}, kind="STANDARD")
    chances(lost_starts=1)
    execution = strict_cloud.client("stepfunctions").start_execution(stateMachineArn=machine)["executionArn"]
    assert strict_cloud.ended(execution)["status"] == "FAILED"


CALLS_TABLE = """
import boto3
def handler(event, context):
    table = boto3.client("dynamodb")
    for _ in range({times}):
        table.update_item(TableName="{table}", Key={{"pk": {{"S": "a"}}}}, UpdateExpression="ADD n :one",
            ExpressionAttributeValues={{":one": {{"N": "1"}}}})
"""


@pytest.mark.parametrize(("nth", "when", "written"), [(1, "before", 0), (1, "after", 1), (2, "before", 1)])
def test_a_function_is_killed_before_or_after_a_named_call_and_answers_again(
    strict_cloud: Cloud, chances: Chances, nth: int, when: str, written: int
) -> None:
    table = counting_table(strict_cloud)
    function = strict_cloud.function(CALLS_TABLE.format(times=2, table=table))
    crash = {"function": function.rpartition(":")[2], "call": "UpdateItem", "nth": nth, "when": when}
    chances(crash=crash)
    payload = strict_cloud.invoke(function)
    assert (payload["errorType"], "signal: 9" in payload["errorMessage"]) == ("Runtime.ExitError", True)
    assert count(strict_cloud, table) == written
    assert strict_cloud.invoke(function) is None
    assert count(strict_cloud, table) == written + 2
    assert told_calls(strict_cloud, function) == ["UpdateItem", "UpdateItem"]


def told_calls(cloud: Cloud, function: str) -> list[str]:
    told = httpx.get(f"{cloud.endpoint}/_plinth/chances").json()["calls"]
    return list(told[function.rpartition(":")[2]])


def test_a_function_that_hangs_at_a_call_is_timed_out(strict_cloud: Cloud, chances: Chances) -> None:
    function = strict_cloud.function(CALLS_TABLE.format(times=2, table=counting_table(strict_cloud)), Timeout=2)
    chances(crash={"function": function.rpartition(":")[2], "how": "hang"})
    assert strict_cloud.invoke(function)["errorType"] == "Sandbox.Timedout"


def test_functions_are_killed_by_chance_and_one_seed_kills_the_same(strict_cloud: Cloud, chances: Chances) -> None:
    function = strict_cloud.function(CALLS_TABLE.format(times=3, table=counting_table(strict_cloud)))

    def lives() -> list[bool]:
        chances(seed=7, killed_functions=0.5)
        return [strict_cloud.invoke(function) is None for _ in range(8)]

    first = lives()
    assert set(first) == {True, False}
    assert lives() == first


@pytest.mark.parametrize("wrong", [{"unheard_of": 1}, {"lost_events": 2}, {"crash": {"function": "f", "nth": 0}}])
def test_a_chance_that_does_not_exist_or_is_none_is_refused_by_its_name(
    strict_cloud: Cloud, wrong: dict[str, Any]
) -> None:
    with pytest.raises(httpx.HTTPStatusError) as met:
        strict_cloud.put_chances(**wrong)
    assert met.value.response.status_code == 400
    assert next(iter(wrong)) in met.value.response.text


def test_a_cloud_that_is_not_strict_has_no_chances(cloud: Cloud) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        cloud.put_chances()
