"""That tables, objects, queues, secrets and parameters behave in the embedded cloud as on AWS."""

import http.client
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.contract.cloud.conftest import Cloud, eventually, unique

THREADS = 8


@pytest.fixture
def table(cloud: Cloud) -> str:
    name = unique("table")
    cloud.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@pytest.fixture
def bucket(cloud: Cloud) -> str:
    name = unique("bucket")
    cloud.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def queue(cloud: Cloud) -> str:
    return str(cloud.client("sqs").create_queue(QueueName=unique("queue"))["QueueUrl"])


def key(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}, "sk": {"S": "-"}}


def numbers(item: dict[str, Any]) -> dict[str, int]:
    return {name: int(value["N"]) for name, value in item.items() if "N" in value}


def queue_arn(cloud: Cloud, queue: str) -> str:
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    return str(attributes["Attributes"]["QueueArn"])


def received(cloud: Cloud, queue: str) -> Callable[[], list[str]]:
    """Return a check that takes a message from the queue and gives its body in a list, empty if none waits."""
    sqs = cloud.client("sqs")

    def check() -> list[str]:
        messages = sqs.receive_message(QueueUrl=queue).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]

    return check


def race(action: Callable[[int], bool], times: int) -> int:
    """Run the action in eight threads at once; return how often it succeeded."""
    gate = threading.Barrier(THREADS)

    def worker(first: int) -> int:
        gate.wait()
        return sum(action(n) for n in range(first, times, THREADS))

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(worker, range(THREADS)))


def test_conditional_writes_grant_exactly_what_is_in_stock(cloud: Cloud, table: str) -> None:
    dynamodb = cloud.client("dynamodb")
    dynamodb.put_item(TableName=table, Item={**key("stock"), "left": {"N": "50"}})

    def take(_: int) -> bool:
        try:
            dynamodb.update_item(
                TableName=table,
                Key=key("stock"),
                UpdateExpression="SET #left = #left - :one",
                ConditionExpression="#left >= :one",
                ExpressionAttributeNames={"#left": "left"},
                ExpressionAttributeValues={":one": {"N": "1"}},
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    assert race(take, 120) == 50
    assert numbers(dynamodb.get_item(TableName=table, Key=key("stock"))["Item"]) == {"left": 0}


def test_a_transaction_writes_all_or_nothing_under_a_race(cloud: Cloud, table: str) -> None:
    dynamodb = cloud.client("dynamodb")
    dynamodb.put_item(TableName=table, Item={**key("budget"), "avail": {"N": "30"}, "held": {"N": "0"}})

    def reserve(n: int) -> bool:
        take = {
            "TableName": table,
            "Key": key("budget"),
            "UpdateExpression": "SET avail = avail - :a, held = held + :a",
            "ConditionExpression": "avail >= :a",
            "ExpressionAttributeValues": {":a": {"N": "1"}},
        }
        put = {"TableName": table, "Item": key(f"reservation-{n}"), "ConditionExpression": "attribute_not_exists(pk)"}
        try:
            dynamodb.transact_write_items(TransactItems=[{"Put": put}, {"Update": take}])
        except dynamodb.exceptions.TransactionCanceledException as error:
            codes = [reason["Code"] for reason in error.response["CancellationReasons"]]
            assert codes == ["None", "ConditionalCheckFailed"]
            return False
        return True

    assert race(reserve, 80) == 30
    items = dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]
    assert len([item for item in items if item["pk"]["S"].startswith("reservation")]) == 30
    assert numbers(dynamodb.get_item(TableName=table, Key=key("budget"))["Item"]) == {"avail": 0, "held": 30}


def test_a_transaction_with_the_same_token_counts_once(cloud: Cloud, table: str) -> None:
    dynamodb = cloud.client("dynamodb")
    add = {
        "TableName": table,
        "Key": key("count"),
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=[{"Update": add}], ClientRequestToken=table)
    assert numbers(dynamodb.get_item(TableName=table, Key=key("count"))["Item"]) == {"n": 1}


def test_a_transaction_that_puts_numbers_is_known_again_by_its_token(cloud: Cloud, table: str) -> None:
    dynamodb = cloud.client("dynamodb")
    numbers_of_all_forms = {"L": [{"N": "1.50"}, {"M": {"a": {"N": "1800000000.0"}}}]}
    put = {"TableName": table, "Item": {**key("row"), "at": {"N": "1.0"}, "many": numbers_of_all_forms}}

    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=[{"Put": put}], ClientRequestToken=table)

    other = {**put, "Item": {**key("row"), "at": {"N": "2"}}}
    with pytest.raises(dynamodb.exceptions.IdempotentParameterMismatchException):
        dynamodb.transact_write_items(TransactItems=[{"Put": other}], ClientRequestToken=table)


def test_a_failed_condition_gives_the_old_item(cloud: Cloud, table: str) -> None:
    dynamodb = cloud.client("dynamodb")
    dynamodb.put_item(TableName=table, Item={**key("tat"), "at": {"N": "7"}})
    with pytest.raises(ClientError) as caught:
        dynamodb.put_item(
            TableName=table,
            Item=key("tat"),
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert caught.value.response["Item"]["at"] == {"N": "7"}  # type: ignore[typeddict-item]


def test_a_read_and_a_write_tell_the_capacity_they_used(cloud: Cloud, table: str) -> None:
    dynamodb = cloud.client("dynamodb")
    put = dynamodb.put_item(TableName=table, Item=key("a"), ReturnConsumedCapacity="TOTAL")
    read = dynamodb.get_item(TableName=table, Key=key("a"), ConsistentRead=True, ReturnConsumedCapacity="TOTAL")
    transaction = dynamodb.transact_write_items(
        TransactItems=[{"Put": {"TableName": table, "Item": key("b")}}], ReturnConsumedCapacity="TOTAL"
    )
    assert put["ConsumedCapacity"]["CapacityUnits"] == 1
    assert read["ConsumedCapacity"]["CapacityUnits"] == 1
    assert transaction["ConsumedCapacity"][0]["CapacityUnits"] == 2


def test_a_query_reads_a_range_of_sort_keys_backwards_and_by_pages(cloud: Cloud, table: str) -> None:
    dynamodb = cloud.client("dynamodb")
    for n in range(5):
        dynamodb.put_item(TableName=table, Item={"pk": {"S": "run"}, "sk": {"S": f"EVENT#{n}"}})
    query = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
        "ExpressionAttributeValues": {":pk": {"S": "run"}, ":prefix": {"S": "EVENT#"}},
        "ScanIndexForward": False,
        "Limit": 2,
    }
    first = dynamodb.query(**query)
    second = dynamodb.query(**query, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [item["sk"]["S"][-1] for item in first["Items"] + second["Items"]] == ["4", "3", "2", "1"]


def test_a_versioned_object_can_be_read_as_it_was_and_a_delete_is_a_marker(cloud: Cloud, bucket: str) -> None:
    s3 = cloud.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    versions = [s3.put_object(Bucket=bucket, Key="a/b.txt", Body=body)["VersionId"] for body in (b"one", b"two")]
    assert s3.delete_object(Bucket=bucket, Key="a/b.txt")["DeleteMarker"] is True
    bodies = [s3.get_object(Bucket=bucket, Key="a/b.txt", VersionId=v)["Body"].read() for v in versions]
    assert bodies == [b"one", b"two"]
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key="a/b.txt")


def test_an_object_is_created_only_if_absent_when_asked(cloud: Cloud, bucket: str) -> None:
    s3 = cloud.client("s3")
    s3.put_object(Bucket=bucket, Key="once", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key="once", Body=b"2", IfNoneMatch="*")


def test_an_upload_by_presigned_address_reaches_a_queue_through_an_event_rule(
    cloud: Cloud, bucket: str, queue: str
) -> None:
    s3 = cloud.client("s3")
    events = cloud.client("events")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created", "Object Deleted"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": "tenant/"}]}},
    }
    rule = unique("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": queue_arn(cloud, queue)}])

    address = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "tenant/my file.txt"})
    parts = urlsplit(address)
    with closing(http.client.HTTPConnection(parts.netloc, timeout=5)) as connection:
        connection.request("PUT", f"{parts.path}?{parts.query}", body=b"hello")
        assert connection.getresponse().status == 200

    detail = json.loads(eventually(received(cloud, queue))[0])
    assert detail["detail-type"] == "Object Created"
    assert detail["detail"]["object"]["key"] == "tenant/my file.txt"
    assert detail["detail"]["object"]["size"] == 5
    assert detail["detail"]["object"]["sequencer"]
    s3.delete_object(Bucket=bucket, Key="tenant/my file.txt")
    assert json.loads(eventually(received(cloud, queue))[0])["detail-type"] == "Object Deleted"


def test_each_delete_marker_is_announced_once_whether_or_not_it_covers_an_object(
    cloud: Cloud, bucket: str, queue: str
) -> None:
    s3 = cloud.client("s3")
    events = cloud.client("events")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="there", Body=b"1")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    rule = unique("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps({"detail": {"bucket": {"name": [bucket]}}}))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": queue_arn(cloud, queue)}])

    for name in ("there", "there", "never"):
        s3.delete_object(Bucket=bucket, Key=name)
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "batch"}]})
    s3.put_object(Bucket=bucket, Key="last", Body=b"1")

    details: list[dict[str, Any]] = []
    while len(details) < 5:
        details.append(json.loads(eventually(received(cloud, queue))[0])["detail"])
    told = sorted((each["object"]["key"], each.get("deletion-type")) for each in details)
    marked = "Delete Marker Created"
    assert told == [("batch", marked), ("last", None), ("never", marked), ("there", marked), ("there", marked)]
    assert len({each["object"]["sequencer"] for each in details}) == 5
    assert received(cloud, queue)() == []


def test_sequencers_of_one_object_rise_with_each_write(cloud: Cloud, bucket: str, queue: str) -> None:
    s3 = cloud.client("s3")
    events = cloud.client("events")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    rule = unique("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps({"detail": {"bucket": {"name": [bucket]}}}))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": queue_arn(cloud, queue)}])
    sequencers: list[str] = []
    for n in range(3):
        s3.put_object(Bucket=bucket, Key="same", Body=str(n).encode())
        sequencers.append(json.loads(eventually(received(cloud, queue))[0])["detail"]["object"]["sequencer"])
    padded = [sequencer.rjust(64, "0") for sequencer in sequencers]
    assert padded == sorted(set(padded))


def test_a_batch_of_messages_fails_only_for_the_messages_named_and_ends_in_the_dead_letter_queue(
    cloud: Cloud, queue: str
) -> None:
    sqs = cloud.client("sqs")
    redrive = {"deadLetterTargetArn": queue_arn(cloud, queue), "maxReceiveCount": 2}
    attributes = {"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "10"}
    source = sqs.create_queue(QueueName=unique("source"), Attributes=attributes)["QueueUrl"]
    done = sqs.create_queue(QueueName=unique("done"))["QueueUrl"]
    function = cloud.function(
        f"""
import boto3
sqs = boto3.client("sqs")
def handler(event, context):
    failed = []
    for record in event["Records"]:
        if record["body"] == "bad":
            failed.append({{"itemIdentifier": record["messageId"]}})
        else:
            sqs.send_message(QueueUrl="{done}", MessageBody=record["body"])
    return {{"batchItemFailures": failed}}
""",
        Timeout=10,
    )
    cloud.client("lambda").create_event_source_mapping(
        EventSourceArn=queue_arn(cloud, source),
        FunctionName=function,
        BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(["good", "bad", "fine"])]
    sqs.send_message_batch(QueueUrl=source, Entries=entries)

    good = [body for _ in range(2) for body in eventually(received(cloud, done))]
    assert sorted(good) == ["fine", "good"]
    assert eventually(received(cloud, queue), within_seconds=90) == ["bad"]
    assert received(cloud, done)() == []


def test_secrets_and_parameters_are_read_back(cloud: Cloud) -> None:
    secrets, parameters = cloud.client("secretsmanager"), cloud.client("ssm")
    arn = secrets.create_secret(Name=unique("secret"), SecretString="hidden")["ARN"]
    secrets.put_secret_value(SecretId=arn, SecretString="rotated")
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "rotated"
    name = f"/plinth/{unique('parameter')}"
    parameters.put_parameter(Name=name, Value="1", Type="String")
    assert parameters.get_parameters_by_path(Path="/plinth")["Parameters"][-1]["Value"] == "1"
