"""How an asynchronous endpoint is stood in for: one request at a time, its answer in S3, a message at its end.

The queue lives in this process: what waits when it ends is lost, and the machine that waits for it times out.
Sources: InvokeEndpointAsync (API reference) and "Check prediction results" (SageMaker developer guide), read 2026-11.
"""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

INLINE_BYTES = 128_000
_INFERENCE_ID_CHARACTERS = 64
_HEADER = "x-amzn-sagemaker-"
_RECEIVED = "%Y-%m-%dT%H:%M:%S.%fZ"

Ask = Callable[[bytes], Awaitable[httpx.Response]]


class InferenceFailedError(Exception):
    """An inference ended without an answer; the message is SageMaker's `failureReason`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """What an endpoint's configuration says of its answers: an S3 URI that ends in a slash, and two topics."""

    location: str
    success_topic: str
    error_topic: str


class Outside(Protocol):
    """The S3 and SNS that the endpoint reaches with its role. Calls block."""

    def ends(self) -> Ends | None:
        """Return where answers go, or None where nothing is deployed that waits for any."""
        ...

    def read(self, uri: str) -> bytes:
        """Return an object."""
        ...

    def write(self, uri: str, body: bytes, *, content_type: str) -> None:
        """Store an object."""
        ...

    def publish(self, topic: str, message: str) -> None:
        """Publish a message."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inference:
    """A request that was taken. Times are in seconds."""

    id: str
    endpoint: str
    headers: Mapping[str, str]
    body: bytes
    ends: Ends
    received: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def output(self) -> str:
        return f"{self.ends.location}{self.id}.out"

    @property
    def failure(self) -> str:
        return f"{self.ends.location}failed/{self.id}-error.out"

    def seconds(self, header: str, *, default: int) -> float:
        return float(self.headers.get(f"{_HEADER}{header}", default))


class AsyncInferences:
    """The queue of one endpoint, whose model is asked by the `ask` that comes with each request."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._one_at_a_time = asyncio.Lock()
        self._at_work: set[asyncio.Task[None]] = set()

    async def accept(self, request: Request, ask: Ask) -> Response:
        """Answer 202 with the places of the answer and of a failure, and begin; or 400 with what is wrong."""
        ends = await asyncio.to_thread(self._outside.ends)
        inference_id = request.headers.get(f"{_HEADER}inference-id") or str(uuid.uuid4())
        location = request.headers.get(f"{_HEADER}inputlocation")
        body = await request.body()
        if ends is None or bool(body) == bool(location):
            return _refused("needs an asynchronous endpoint, and either a body or an InputLocation")
        if len(body) > INLINE_BYTES or len(inference_id) > _INFERENCE_ID_CHARACTERS:
            return _refused(f"Body is limited to {INLINE_BYTES} bytes, InferenceId to {_INFERENCE_ID_CHARACTERS}")
        taken = _Inference(
            id=inference_id,
            endpoint=request.path_params["name"],
            headers=dict(request.headers),
            body=body,
            ends=ends,
        )
        task = asyncio.create_task(self._run(taken, ask))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        places = {f"{_HEADER}outputlocation": taken.output, f"{_HEADER}failurelocation": taken.failure}
        return JSONResponse({"InferenceId": inference_id}, status_code=202, headers=places)

    async def _run(self, inference: _Inference, ask: Ask) -> None:
        try:
            async with self._one_at_a_time:
                content_type = await self._answer(inference, ask)
        except InferenceFailedError as error:
            await self._store(inference.failure, str(error).encode(), "text/plain")
            await self._tell(inference.ends.error_topic, inference, {"failureReason": str(error)}, "Failed")
            return
        response = {"responseParameters": {"contentType": content_type, "outputLocation": inference.output}}
        await self._tell(inference.ends.success_topic, inference, response, "Completed")

    async def _answer(self, inference: _Inference, ask: Ask) -> str:
        waited = (datetime.now(UTC) - inference.received).total_seconds()
        if waited > inference.seconds("requestttlseconds", default=21_600):
            raise InferenceFailedError("The request expired in the queue.")
        location = inference.headers.get(f"{_HEADER}inputlocation")
        body = await asyncio.to_thread(self._outside.read, location) if location else inference.body
        try:
            async with asyncio.timeout(inference.seconds("invocationtimeoutseconds", default=900)):
                answer = await ask(body)
                content = await answer.aread()
        except (httpx.HTTPError, TimeoutError) as error:
            raise InferenceFailedError(f"ServerError: the model did not answer: {type(error).__name__}") from error
        if answer.is_error:
            side = "client" if answer.status_code < 500 else "server"
            raise InferenceFailedError(f"ClientError: Received {side} error ({answer.status_code}) from model.")
        content_type: str = answer.headers["content-type"]
        await self._store(inference.output, content, content_type)
        return content_type

    async def _store(self, uri: str, body: bytes, content_type: str) -> None:
        await asyncio.to_thread(self._outside.write, uri, body, content_type=content_type)

    async def _tell(self, topic: str, inference: _Inference, more: Mapping[str, object], status: str) -> None:
        message = {
            "awsRegion": "us-east-1",
            "eventTime": datetime.now(UTC).strftime(_RECEIVED),
            "receivedTime": inference.received.strftime(_RECEIVED),
            "invocationStatus": status,
            "requestParameters": {
                "contentType": inference.headers.get(f"{_HEADER}content-type", ""),
                "endpointName": inference.endpoint,
                "inputLocation": inference.headers.get(f"{_HEADER}inputlocation", ""),
            },
            **more,
            "inferenceId": inference.id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
        await asyncio.to_thread(self._outside.publish, topic, json.dumps(message))


def _refused(why: str) -> Response:
    return JSONResponse({"Message": why}, status_code=400, headers={"x-amzn-errortype": "ValidationError"})
