"""That functions can do what their roles say and nothing else, where the embedded cloud is told to enforce it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.processes import stop
from tests.contract.cloud.conftest import Cloud, new_cloud, unique
from tests.contract.cloud.test_strict import counting_table

TRIES = """
import os
import boto3
from botocore.exceptions import ClientError
def outcome(call, **given):
    try:
        call(**given)
        return "ok"
    except ClientError as error:
        return error.response["Error"]["Code"]
def handler(event, context):
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    key = {"pk": {"S": "a"}}
    return {
        "get": outcome(dynamodb.get_item, TableName=event["table"], Key=key),
        "put": outcome(dynamodb.put_item, TableName=event["table"], Item=key),
        "transact": outcome(
            dynamodb.transact_write_items,
            TransactItems=[{"Put": {"TableName": event["table"], "Item": key}}],
        ),
        "own": outcome(s3.put_object, Bucket=event["bucket"], Key="tenants/a", Body=b"x"),
        "other": outcome(s3.put_object, Bucket=event["bucket"], Key="usage/a", Body=b"x"),
        "list": outcome(s3.list_objects_v2, Bucket=event["bucket"]),
    }
"""


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    running = new_cloud(tmp_path_factory.mktemp("enforcing"), "--enforce-roles")
    yield running
    stop([running.child])


def role_with(cloud: Cloud, statements: list[dict[str, Any]]) -> str:
    iam, name = cloud.client("iam"), unique("role")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
    return str(role)


def tried(cloud: Cloud, statements: list[dict[str, Any]], given: dict[str, str]) -> Any:
    return cloud.invoke(cloud.function(TRIES, Role=role_with(cloud, statements)), given)


def test_a_function_can_do_what_its_role_says_and_nothing_else(enforcing: Cloud) -> None:
    table, bucket = counting_table(enforcing), unique("bucket")
    enforcing.client("s3").create_bucket(Bucket=bucket)
    given = {"table": table, "bucket": bucket}
    on_table = f"arn:aws:dynamodb:us-east-1:000000000000:table/{table}"
    reads = {"Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": on_table}
    writes = {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": f"arn:aws:s3:::{bucket}/tenants/*"}

    assert tried(enforcing, [reads, writes], given) == {
        "get": "ok",
        "put": "AccessDeniedException",
        "transact": "AccessDeniedException",
        "own": "ok",
        "other": "AccessDenied",
        "list": "AccessDenied",
    }
    noted = (enforcing.home / "logs" / "denials.txt").read_text()
    assert f" dynamodb:PutItem {on_table}\n" in noted
    assert f" s3:PutObject arn:aws:s3:::{bucket}/usage/a\n" in noted
    assert "dynamodb:GetItem" not in noted
    unrelated = {**reads, "Action": ["dynamodb:DescribeTable"]}
    assert set(tried(enforcing, [unrelated], given).values()) == {"AccessDeniedException", "AccessDenied"}


WAKES = """
import boto3
from botocore.exceptions import ClientError
def handler(event, context):
    try:
        boto3.client("stepfunctions").send_task_success(taskToken=event["token"], output='"woken"')
    except ClientError as error:
        raise PermissionError(error.response["Error"]["Code"]) from None
"""


@pytest.mark.parametrize(("allowed", "outcome"), [("*", '"woken"'), ("*other", "PermissionError")])
def test_a_function_gives_back_the_tokens_of_the_machines_that_its_role_names(
    enforcing: Cloud, allowed: str, outcome: str
) -> None:
    machines = f"arn:aws:states:us-east-1:000000000000:stateMachine:{allowed}"
    wakes = {"Effect": "Allow", "Action": "states:SendTaskSuccess", "Resource": machines}
    waits = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "TimeoutSeconds": 10,
        "Arguments": {
            "FunctionName": enforcing.function(WAKES, Role=role_with(enforcing, [wakes])),
            "Payload": {"token": "{% $states.context.Task.Token %}"},
        },
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Wait", "States": {"Wait": waits}}
    steps = enforcing.client("stepfunctions")
    machine = steps.create_state_machine(
        name=unique("machine"), definition=json.dumps(definition), roleArn=role_with(enforcing, [wakes])
    )["stateMachineArn"]

    execution = steps.start_execution(stateMachineArn=machine)["executionArn"]

    ended = enforcing.ended(execution)
    assert outcome in (json.dumps(ended["output"]), ended.get("error"))
