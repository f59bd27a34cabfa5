"""The contracts of `PendingInferences`, `Callbacks` and `Inferences`, against the fakes and the real services."""

import json
import time
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.stub import ANY, Stubber

from plinth.adapters.aws_calls import CALLS
from plinth.adapters.dynamo_pending_inferences import DynamoPendingInferences
from plinth.adapters.dynamodb_table import Table
from plinth.adapters.sagemaker_inferences import INLINE_BYTES, QUEUED_SECONDS, WORK_SECONDS, SageMakerInferences
from plinth.adapters.step_functions_callbacks import StepFunctionsCallbacks
from plinth.contracts.inferring import InferenceOutcome, PendingInference
from plinth.contracts.tenant import Tenant
from plinth.errors import PlinthError, StoreUnavailableError
from plinth.ports.models import PendingInferences
from tests.contract.adapters.conftest import Cloud
from tests.fakes.clock import FakeClock
from tests.fakes.inferences import FakePendingInferences

DONE = InferenceOutcome(output_location="s3://work/answer.out")
FAILED = InferenceOutcome(output_location=None)


@pytest.fixture(params=["fake", "dynamodb"])
def pending(request: pytest.FixtureRequest, clock: FakeClock) -> PendingInferences:
    if request.param == "fake":
        return FakePendingInferences()
    table: Table = request.getfixturevalue("table")
    return DynamoPendingInferences(table=table, clock=clock)


@pytest.fixture
def name() -> str:
    return uuid4().hex


def test_a_new_inference_is_neither_queued_nor_ended(pending: PendingInferences, name: str) -> None:
    assert pending.begin(name, task_token="one") == PendingInference(task_token="one")


def test_a_second_start_replaces_the_token_and_learns_what_is_known(pending: PendingInferences, name: str) -> None:
    pending.begin(name, task_token="one")
    pending.mark_queued(name)

    assert pending.begin(name, task_token="two") == PendingInference(task_token="two", queued=True)


@pytest.mark.parametrize(("first", "second"), [(DONE, FAILED), (FAILED, DONE), (DONE, DONE)])
def test_the_first_outcome_stays(
    pending: PendingInferences, name: str, first: InferenceOutcome, second: InferenceOutcome
) -> None:
    pending.begin(name, task_token="one")

    ended = [pending.end(name, outcome) for outcome in (first, second)]

    assert ended == [PendingInference(task_token="one", outcome=first)] * 2
    assert pending.begin(name, task_token="two").outcome == first


def test_nobody_waits_for_an_inference_that_nobody_began(pending: PendingInferences, name: str) -> None:
    assert pending.end(name, DONE) is None
    assert pending.begin(name, task_token="one").outcome is None


def test_a_long_token_is_kept_whole(pending: PendingInferences, name: str) -> None:
    token = "t" * 1024

    assert pending.begin(name, task_token=token).task_token == token


def waiting_execution(cloud: Cloud) -> tuple[str, str]:
    """Start a machine whose only state waits; return the execution and its token."""
    url = cloud.client("sqs").create_queue(QueueName=f"tokens-{uuid4().hex[:8]}")["QueueUrl"]
    wait = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "TimeoutSeconds": 20,
        "Arguments": {"QueueUrl": url, "MessageBody": "{% $states.context.Task.Token %}"},
        "End": True,
    }
    machine = cloud.client("stepfunctions").create_state_machine(
        name=f"waiting-{uuid4().hex[:8]}",
        definition=json.dumps({"QueryLanguage": "JSONata", "StartAt": "Wait", "States": {"Wait": wait}}),
        roleArn="arn:aws:iam::000000000000:role/any",
    )["stateMachineArn"]
    execution = cloud.client("stepfunctions").start_execution(stateMachineArn=machine)["executionArn"]
    message = cloud.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=4)["Messages"][0]
    return execution, message["Body"]


def ended(cloud: Cloud, execution: str) -> dict[str, Any]:
    for _ in range(100):
        described: dict[str, Any] = cloud.client("stepfunctions").describe_execution(executionArn=execution)
        if described["status"] != "RUNNING":
            return described
        time.sleep(0.05)
    raise AssertionError("the execution did not end")


def test_a_state_that_waits_gets_its_output_once(cloud: Cloud) -> None:
    callbacks = StepFunctionsCallbacks(client=cloud.client("stepfunctions"))
    execution, token = waiting_execution(cloud)

    assert callbacks.succeed(token, {"result": 1})

    assert json.loads(ended(cloud, execution)["output"]) == {"result": 1}
    assert not callbacks.succeed(token, {"result": 2})
    assert not callbacks.fail(token, error="ModelUnavailableError", cause="late")


def test_a_state_that_waits_fails_under_the_name_it_is_given(cloud: Cloud) -> None:
    callbacks = StepFunctionsCallbacks(client=cloud.client("stepfunctions"))
    execution, token = waiting_execution(cloud)

    assert callbacks.fail(token, error="ModelUnavailableError", cause="the endpoint said so")

    described = ended(cloud, execution)
    assert (described["status"], described["error"]) == ("FAILED", "ModelUnavailableError")


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist"])
def test_to_tell_a_state_that_has_timed_out_is_no_error(code: str) -> None:
    client: Any = boto3.client("stepfunctions", region_name="us-east-1", config=CALLS)
    with Stubber(client) as stub:
        stub.add_client_error("send_task_success", code, http_status_code=400)

        assert not StepFunctionsCallbacks(client=client).succeed("token", {})


def test_a_token_that_is_none_is_a_permanent_error() -> None:
    client: Any = boto3.client("stepfunctions", region_name="us-east-1", config=CALLS)
    with Stubber(client) as stub:
        stub.add_client_error("send_task_failure", "InvalidToken", http_status_code=400)

        with pytest.raises(PlinthError, match="InvalidToken"):
            StepFunctionsCallbacks(client=client).fail("token", error="ModelUnavailableError", cause="late")


class Endpoint:
    """An asynchronous endpoint whose calls are checked against the SDK's own description of them."""

    def __init__(self) -> None:
        self.client: Any = boto3.client("sagemaker-runtime", region_name="us-east-1", config=CALLS)
        self.s3: Any = boto3.client("s3", region_name="us-east-1", config=CALLS)
        self.stub = Stubber(self.client)
        self.objects = Stubber(self.s3)
        self.inferences = SageMakerInferences("long", client=self.client, s3=self.s3, bucket="work")

    def expect(self, **input_given: object) -> None:
        expected = {
            "EndpointName": "long",
            "InferenceId": "id-1",
            "ContentType": "application/json",
            "Accept": "application/json",
            "RequestTTLSeconds": QUEUED_SECONDS,
            "InvocationTimeoutSeconds": WORK_SECONDS,
            **input_given,
        }
        self.stub.add_response("invoke_endpoint_async", {"InferenceId": "id-1"}, expected)


def test_a_short_request_travels_in_the_call(tenant: Tenant) -> None:
    endpoint, body = Endpoint(), b"x" * INLINE_BYTES
    endpoint.expect(Body=body)
    with endpoint.stub, endpoint.objects:
        endpoint.inferences.start("id-1", tenant, body)
        endpoint.stub.assert_no_pending_responses()


def test_a_longer_request_lies_in_the_tenants_part_of_the_work_bucket(tenant: Tenant) -> None:
    endpoint, body = Endpoint(), b"x" * (INLINE_BYTES + 1)
    key = f"{tenant.id}/inferences/id-1.json"
    endpoint.objects.add_response("put_object", {}, {"Bucket": "work", "Key": key, "Body": ANY})
    endpoint.expect(InputLocation=f"s3://work/{key}")
    with endpoint.stub, endpoint.objects:
        endpoint.inferences.start("id-1", tenant, body)
        endpoint.stub.assert_no_pending_responses()


@pytest.mark.parametrize(("code", "status"), [("ServiceUnavailable", 503), ("InternalFailure", 500)])
def test_a_queue_that_does_not_take_it_may_be_asked_again(tenant: Tenant, code: str, status: int) -> None:
    endpoint = Endpoint()
    endpoint.stub.add_client_error("invoke_endpoint_async", code, http_status_code=status)
    with endpoint.stub, pytest.raises(StoreUnavailableError):
        endpoint.inferences.start("id-1", tenant, b"{}")


def test_an_endpoint_that_does_not_exist_is_a_permanent_error(tenant: Tenant) -> None:
    endpoint = Endpoint()
    endpoint.stub.add_client_error("invoke_endpoint_async", "ValidationError", http_status_code=400)
    with endpoint.stub, pytest.raises(PlinthError, match="ValidationError") as refused:
        endpoint.inferences.start("id-1", tenant, b"{}")
    assert not isinstance(refused.value, StoreUnavailableError)
