"""Rules of the SageMaker runtime's surface over a model server."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from botocore.eventstream import EventStreamBuffer

from local.models.server import SageMakerFacade


@dataclass
class FakeEngine:
    """An engine whose address nobody listens on: the transport answers."""

    address: str | None = "http://127.0.0.1:1"
    api_key: str = "key-of-this-process"


def frames(content: bytes) -> list[Any]:
    buffer: Any = EventStreamBuffer()
    buffer.add_data(content)
    return list(buffer)


class BrokenStream(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'data: {"half": '
        raise httpx.ReadError("cut")


def post(path: str, model: Callable[[httpx.Request], httpx.Response], *, loading: bool = False) -> httpx.Response:
    """Post to the facade of endpoint `known` over a model server that is a function."""

    async def ask() -> httpx.Response:
        engine = FakeEngine(address=None) if loading else FakeEngine()
        facade = SageMakerFacade("known", engine=engine, transport=httpx.MockTransport(model))
        application = facade.application(on_start=lambda: None)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://facade") as client:
            return await client.post(path, content=b'{"messages": []}')

    return asyncio.run(ask())


def answers(request: httpx.Request) -> httpx.Response:
    assert request.url.path == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer key-of-this-process"
    echo = json.dumps({"echo": request.content.decode()}).encode()
    return httpx.Response(200, stream=httpx.ByteStream(echo), headers={"content-type": "application/json"})


def refuses(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(400, text="too long")


def unreachable(_request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


STREAMED = "/endpoints/known/invocations-response-stream"
WHOLE = "/endpoints/known/invocations"


@pytest.mark.parametrize("path", [WHOLE, STREAMED])
def test_another_endpoint_is_unknown_as_in_sagemaker(path: str) -> None:
    response = post(path.replace("known", "other"), answers)

    assert response.status_code == 400
    assert response.headers["x-amzn-errortype"] == "ValidationError"
    assert "Endpoint other" in response.json()["Message"]


@pytest.mark.parametrize("path", [WHOLE, STREAMED])
def test_a_model_that_still_loads_is_not_ready(path: str) -> None:
    response = post(path, answers, loading=True)

    assert (response.status_code, response.headers["x-amzn-errortype"]) == (429, "ModelNotReadyException")


@pytest.mark.parametrize(("model", "status"), [(refuses, 400), (unreachable, 500)])
@pytest.mark.parametrize("path", [WHOLE, STREAMED])
def test_a_failure_of_the_model_carries_the_models_own_status(
    path: str, model: Callable[[httpx.Request], httpx.Response], status: int
) -> None:
    response = post(path, model)

    assert (response.status_code, response.headers["x-amzn-errortype"]) == (424, "ModelError")
    assert response.json()["OriginalStatusCode"] == status


def test_an_answer_is_passed_on_as_the_model_gave_it() -> None:
    assert post(WHOLE, answers).json() == {"echo": '{"messages": []}'}
    assert post("/endpoints/known/openai/v1/chat/completions", answers).json() == {"echo": '{"messages": []}'}


def test_a_stream_that_breaks_off_ends_with_an_exception_frame() -> None:
    response = post(STREAMED, lambda _: httpx.Response(200, stream=BrokenStream(), headers={"content-type": "text/x"}))

    first, last = frames(response.content)
    assert first.payload == b'data: {"half": '
    assert last.headers[":exception-type"] == "ModelStreamError"


@pytest.mark.parametrize(("loading", "status"), [(True, 503), (False, 404)])
def test_the_openai_route_refuses_in_its_own_shape(loading: bool, status: int) -> None:  # noqa: FBT001
    name = "known" if loading else "other"

    response = post(f"/endpoints/{name}/openai/v1/chat/completions", answers, loading=loading)

    assert response.status_code == status
    assert response.json()["error"]["code"] == status
