"""A long inference through the deployed machine: SNS wakes it, a failure has a name, a late message has no effect."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.conftest import Deployed

pytestmark = pytest.mark.integration

QUESTION = {"messages": [{"role": "user", "content": "Say yes."}], "max_tokens": 8}
LONG = {"messages": [{"role": "user", "content": "Count in words."}], "max_tokens": 300, "ignore_eos": True}
REFUSED = {"messages": "this is no list"}


def run(deployed: Deployed, machine: str, body: dict[str, Any]) -> dict[str, Any]:
    """Run a machine to its end."""
    steps = deployed.aws("stepfunctions")
    given = json.dumps({"tenant": {"id": "acme"}, "body": body})
    execution = steps.start_execution(stateMachineArn=machine, name=f"t{uuid4().hex}", input=given)["executionArn"]
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        described: dict[str, Any] = steps.describe_execution(executionArn=execution)
        if described["status"] != "RUNNING":
            return described
        time.sleep(0.2)
    raise AssertionError("the machine did not end")


def with_patience_of(deployed: Deployed, seconds: int) -> str:
    """Make a copy of the deployed machine that waits for so long only, and that FinishInference may wake, too."""
    steps = deployed.aws("stepfunctions")
    original = steps.describe_state_machine(stateMachineArn=deployed.info.outputs["InferMachineArn"])
    definition = json.loads(original["definition"])
    definition["States"]["StartInference"]["TimeoutSeconds"] = seconds
    made = steps.create_state_machine(
        name=f"impatient-{uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=original["roleArn"]
    )
    wakes = {"Effect": "Allow", "Action": "states:SendTaskSuccess", "Resource": made["stateMachineArn"]}
    finish = deployed.aws("lambda").get_function_configuration(FunctionName=deployed.function("FinishInference"))
    deployed.aws("iam").put_role_policy(
        RoleName=finish["Role"].rpartition("/")[2],
        PolicyName="Impatient",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [wakes]}),
    )
    return str(made["stateMachineArn"])


def pending(deployed: Deployed) -> list[dict[str, Any]]:
    pages = deployed.aws("dynamodb").list_tables()["TableNames"]
    (table,) = (name for name in pages if "Inferences" in name)
    items: list[dict[str, Any]] = deployed.aws("dynamodb").scan(TableName=table)["Items"]
    return items


def test_a_long_inference_ends_with_the_place_of_the_models_answer(deployed: Deployed) -> None:
    described = run(deployed, deployed.info.outputs["InferMachineArn"], QUESTION)

    assert described["status"] == "SUCCEEDED", described
    bucket, _, key = json.loads(described["output"])["output_location"].removeprefix("s3://").partition("/")
    answer = json.loads(deployed.aws("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    assert answer["choices"][0]["message"]["content"]


def test_an_inference_that_the_model_refuses_fails_the_machine_by_name_after_two_attempts(deployed: Deployed) -> None:
    before = len(pending(deployed))

    described = run(deployed, deployed.info.outputs["InferMachineArn"], REFUSED)

    assert (described["status"], described["error"]) == ("FAILED", "ModelUnavailableError")
    assert len(pending(deployed)) == before + 2


def test_a_message_that_comes_after_the_timeout_changes_nothing(deployed: Deployed) -> None:
    machine = with_patience_of(deployed, 1)
    known = {each["pk"]["S"] for each in pending(deployed)}

    described = run(deployed, machine, LONG)

    assert (described["status"], described["error"]) == ("FAILED", "ModelSilentError")
    deadline = time.monotonic() + 90
    while not [each for each in pending(deployed) if each["pk"]["S"] not in known and "output" in each]:
        assert time.monotonic() < deadline, "the endpoint's message did not come"
        time.sleep(0.5)
    after = deployed.aws("stepfunctions").describe_execution(executionArn=described["executionArn"])
    assert (after["status"], after["error"]) == ("FAILED", "ModelSilentError")
