"""Rules of the stand-in for an asynchronous endpoint."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import boto3
import httpx
import pytest

from local.models.async_inference import INLINE_BYTES, AsyncInferences, Ends
from local.models.server import SageMakerFacade
from plinth.runtime.inferences import InferenceNotice
from tests.unit.models.test_server import FakeEngine, answers, refuses, unreachable

PATH = "/endpoints/known/async-invocations"
ENDS = Ends(location="s3://work/inferences/", success_topic="good", error_topic="bad")


class FakeOutside:
    """S3 and SNS in memory."""

    def __init__(self, ends: Ends | None = ENDS) -> None:
        self._ends = ends
        self.objects: dict[str, bytes] = {"s3://work/long.json": b'{"messages": ["long"]}'}
        self.told: list[tuple[str, dict[str, Any]]] = []

    def ends(self) -> Ends | None:
        return self._ends

    def read(self, uri: str) -> bytes:
        return self.objects[uri]

    def write(self, uri: str, body: bytes, *, content_type: str) -> None:
        assert content_type
        self.objects[uri] = body

    def publish(self, topic: str, message: str) -> None:
        self.told.append((topic, json.loads(message)))


def post(
    outside: FakeOutside,
    model: Callable[[httpx.Request], httpx.Response] = answers,
    *,
    body: bytes = b'{"messages": []}',
    **headers: str,
) -> httpx.Response:
    """Post to the facade and wait until everything that it took has ended."""

    async def ask() -> httpx.Response:
        inferences = AsyncInferences(outside)
        transport = httpx.MockTransport(model)
        facade = SageMakerFacade("known", engine=FakeEngine(), inferences=inferences, transport=transport)
        application = facade.application(on_start=lambda: None)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://facade") as client:
            named = {f"x-amzn-sagemaker-{name.replace('_', '-')}": value for name, value in headers.items()}
            response = await client.post(PATH, content=body, headers=named)
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
            return response

    return asyncio.run(ask())


def test_a_request_is_taken_at_once_with_the_place_of_its_answer() -> None:
    outside = FakeOutside()

    response = post(outside, inference_id="id-1")

    assert (response.status_code, response.json()) == (202, {"InferenceId": "id-1"})
    output = response.headers["x-amzn-sagemaker-outputlocation"]
    assert b"echo" in outside.objects[output]


def test_the_message_of_a_success_is_what_our_function_reads() -> None:
    outside = FakeOutside()

    post(outside, inference_id="id-1")

    ((topic, message),) = outside.told
    read = InferenceNotice(inference_id="id-1", invocation_status="Completed")
    assert topic == "good"
    assert (message["inferenceId"], message["invocationStatus"]) == (read.inference_id, read.invocation_status)
    assert message["responseParameters"]["outputLocation"] == "s3://work/inferences/id-1.out"


@pytest.mark.parametrize("model", [refuses, unreachable])
def test_a_failure_is_told_on_its_own_topic_with_a_reason(model: Callable[[httpx.Request], httpx.Response]) -> None:
    outside = FakeOutside()

    response = post(outside, model, inference_id="id-1")

    ((topic, message),) = outside.told
    assert (response.status_code, topic, message["invocationStatus"]) == (202, "bad", "Failed")
    assert outside.objects["s3://work/inferences/failed/id-1-error.out"].decode() == message["failureReason"]


def test_a_request_may_lie_in_s3() -> None:
    outside = FakeOutside()

    post(outside, body=b"", inputlocation="s3://work/long.json", inference_id="id-1")

    assert b"long" in outside.objects["s3://work/inferences/id-1.out"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"x" * (INLINE_BYTES + 1), {}),
        (b"", {}),
        (b"{}", {"inputlocation": "s3://work/long.json"}),
        (b"{}", {"inference_id": "x" * 65}),
    ],
    ids=["too long", "nothing", "both", "id too long"],
)
def test_what_sagemaker_refuses_is_refused(body: bytes, headers: dict[str, str]) -> None:
    outside = FakeOutside()

    response = post(outside, answers, body=body, **headers)

    assert (response.status_code, response.headers["x-amzn-errortype"]) == (400, "ValidationError")
    assert not outside.told


def test_an_endpoint_that_nobody_configured_takes_nothing() -> None:
    assert post(FakeOutside(ends=None)).status_code == 400


def test_the_sdk_knows_the_headers_and_the_limit() -> None:
    client: Any = boto3.client("sagemaker-runtime", region_name="us-east-1")
    operation = client.meta.service_model.operation_model("InvokeEndpointAsync")
    members = operation.input_shape.members
    named = {members[name].serialization["name"].lower() for name in ("InferenceId", "InputLocation")}

    assert named == {"x-amzn-sagemaker-inference-id", "x-amzn-sagemaker-inputlocation"}
    assert members["Body"].metadata["max"] == INLINE_BYTES
