"""That what was in the embedded cloud works again after SIGTERM and a new start."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from local.processes import stop
from tests.contract.cloud.conftest import Cloud, eventually, new_cloud, unique
from tests.contract.cloud.test_api import call, create_api
from tests.contract.cloud.test_state_machines import task
from tests.contract.cloud.test_stores import queue_arn


@pytest.fixture
def own_cloud(tmp_path: Path) -> Iterator[Cloud]:
    running = new_cloud(tmp_path)
    yield running
    stop([running.child])


def test_everything_works_after_a_restart(own_cloud: Cloud) -> None:  # noqa: PLR0915 - one restart, all services
    cloud = own_cloud
    dynamodb, s3, sqs = cloud.client("dynamodb"), cloud.client("s3"), cloud.client("sqs")
    events, secrets, parameters = cloud.client("events"), cloud.client("secretsmanager"), cloud.client("ssm")
    table = unique("table")
    dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    ttl = {"Enabled": True, "AttributeName": "expires_at"}
    dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=ttl)
    item = {"pk": {"S": "a"}, "raw": {"B": b"\x00\xff"}, "tags": {"SS": ["x", "y"]}, "m": {"M": {"n": {"N": "1"}}}}
    dynamodb.put_item(TableName=table, Item=item)
    bucket = unique("bucket")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="a/é.txt", Body=b"one", Metadata={"tenant": "t"})["VersionId"]
    s3.put_object(Bucket=bucket, Key="a/é.txt", Body=b"two")
    layer = cloud.layer({"python/words.py": "GREETING = 'hello'", "models/m.bin": "1"})
    source = "import words, json\ndef handler(e, c): return {'statusCode': 200, 'body': json.dumps(words.GREETING)}"
    greet = cloud.function(source, Layers=[layer])
    machine = cloud.machine({"Greet": task(greet)})
    standard = cloud.machine({"Greet": task(greet)}, kind="STANDARD")
    api = create_api(cloud, greet, {"/greet": "GET"})
    queue = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    sink_source = f"""
import boto3
def handler(event, context):
    for record in event["Records"]:
        boto3.client("dynamodb").put_item(TableName="{table}", Item={{"pk": {{"S": record["body"][:5]}}}})
"""
    sink = cloud.function(sink_source)
    cloud.client("lambda").create_event_source_mapping(EventSourceArn=queue_arn(cloud, queue), FunctionName=sink)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    inbox = sqs.create_queue(QueueName=unique("inbox"))["QueueUrl"]
    events.put_rule(Name="rule", EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(Rule="rule", Targets=[{"Id": "inbox", "Arn": queue_arn(cloud, inbox)}])
    sqs.send_message(QueueUrl=inbox, MessageBody="waiting")
    secret = secrets.create_secret(Name="secret", SecretString="hidden")["ARN"]
    parameters.put_parameter(Name="/plinth/p", Value="1", Type="String")

    started = time.monotonic()
    cloud.restart()
    assert time.monotonic() - started < 10

    assert dynamodb.get_item(TableName=table, Key={"pk": {"S": "a"}})["Item"] == item
    assert dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"
    assert s3.get_object(Bucket=bucket, Key="a/é.txt")["Body"].read() == b"two"
    old = s3.get_object(Bucket=bucket, Key="a/é.txt", VersionId=first)
    assert (old["Body"].read(), old["Metadata"]) == (b"one", {"tenant": "t"})
    assert cloud.run(machine)["output"]["body"] == '"hello"'
    run = cloud.client("stepfunctions").start_execution(stateMachineArn=standard)["executionArn"]
    assert cloud.ended(run)["status"] == "SUCCEEDED"
    assert call(cloud, "GET", f"{api}/greet")[:2] == (200, "hello")
    sqs.send_message(QueueUrl=queue, MessageBody="later")
    eventually(lambda: "Item" in dynamodb.get_item(TableName=table, Key={"pk": {"S": "later"}}))
    assert sqs.receive_message(QueueUrl=inbox)["Messages"][0]["Body"] == "waiting"
    s3.put_object(Bucket=bucket, Key="new", Body=b"3")
    assert eventually(lambda: sqs.receive_message(QueueUrl=inbox).get("Messages"))
    assert secrets.get_secret_value(SecretId=secret)["SecretString"] == "hidden"
    assert parameters.get_parameter(Name="/plinth/p")["Parameter"]["Value"] == "1"
    assert cloud.client("cloudformation").describe_stacks()["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"


def test_a_stop_in_the_middle_of_a_call_saves_the_state_and_ends_the_function(own_cloud: Cloud) -> None:
    source = "import os, time\ndef handler(e, c):\n    print(os.getpid())\n    time.sleep(e)\n    return os.getpid()"
    function = own_cloud.function(source, Timeout=60)
    machine = own_cloud.machine({"Hold": task(function)})
    process = own_cloud.invoke(function, 0)
    own_cloud.client("ssm").put_parameter(Name="kept", Value="1", Type="String")
    with ThreadPoolExecutor(1) as pool:
        call_in_flight = pool.submit(lambda: own_cloud.run(machine, 50))
        time.sleep(0.5)
        started = time.monotonic()
        own_cloud.restart()
        assert time.monotonic() - started < 6
        with pytest.raises((BotoCoreError, ClientError)):
            call_in_flight.result()
    eventually(lambda: not Path(f"/proc/{process}").exists())
    assert own_cloud.client("ssm").get_parameter(Name="kept")["Parameter"]["Value"] == "1"


def test_functions_end_with_the_cloud_even_if_it_is_killed(own_cloud: Cloud) -> None:
    process = own_cloud.invoke(own_cloud.function("import os\ndef handler(e, c): return os.getpid()"))
    own_cloud.child.process.kill()
    own_cloud.child.process.wait()
    eventually(lambda: not Path(f"/proc/{process}").exists())
