"""How the SageMaker runtime's HTTP surface is answered by a llama.cpp server on this machine."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from local.models.async_inference import AsyncInferences
from local.models.eventstream import payload_part, stream_error

_CHAT = "/v1/chat/completions"
_VARIANT = {"x-Amzn-Invoked-Production-Variant": "AllTraffic"}
_TIMEOUT = httpx.Timeout(300.0, connect=5.0)
"""llama.cpp is silent while it reads a prompt: 4,096 tokens take the demo model about a minute on two cores."""


class Engine(Protocol):
    """What answers chat completions from the moment it has an address."""

    @property
    def address(self) -> str | None:
        """Return the base URL, or None while the model is loading."""
        ...

    @property
    def api_key(self) -> str:
        """Return the bearer token that the address wants."""
        ...


class SageMakerFacade:
    """One endpoint of the SageMaker runtime; requests are not authenticated, so bind it to loopback only."""

    def __init__(
        self,
        endpoint: str,
        *,
        engine: Engine,
        inferences: AsyncInferences | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._engine = engine
        self._inferences = inferences
        self._client = httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False, transport=transport)

    def application(self, *, on_start: Callable[[], None]) -> Starlette:
        """Return the ASGI application, which calls `on_start` once it is about to listen."""

        @asynccontextmanager
        async def lifespan(_application: Starlette) -> AsyncGenerator[None]:
            on_start()
            async with self._client:
                yield

        root = "/endpoints/{name}"
        return Starlette(
            routes=[
                Route("/health", self._health),
                Route(f"{root}/invocations", self._invoke, methods=["POST"]),
                Route(f"{root}/invocations-response-stream", self._invoke_stream, methods=["POST"]),
                Route(f"{root}/openai{_CHAT}", self._openai, methods=["POST"]),
                Route(f"{root}/async-invocations", self._invoke_async, methods=["POST"]),
            ],
            lifespan=lifespan,
        )

    async def _health(self, _request: Request) -> Response:
        if self._engine.address is None:
            return JSONResponse({"status": "loading"}, status_code=503)
        return JSONResponse({"status": "ok"})

    async def _invoke(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        try:
            answer = await self._ask(await request.body())
            body = await answer.aread()
        except httpx.HTTPError as error:
            return _model_error(500, f"{type(error).__name__}: {error}")
        if answer.is_error:
            return _model_error(answer.status_code, answer.text)
        return Response(body, headers=_VARIANT, media_type=answer.headers["content-type"])

    async def _invoke_stream(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        try:
            answer = await self._ask(await request.body())
            if answer.is_error:
                return _model_error(answer.status_code, (await answer.aread()).decode(errors="replace"))
        except httpx.HTTPError as error:
            return _model_error(500, f"{type(error).__name__}: {error}")
        headers = {**_VARIANT, "X-Amzn-SageMaker-Content-Type": answer.headers["content-type"]}
        return StreamingResponse(_frames(answer), headers=headers, media_type="application/vnd.amazon.eventstream")

    async def _invoke_async(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        if self._inferences is None:
            return _error("ValidationError", 400, {"Message": "This endpoint is not asynchronous."})
        return await self._inferences.accept(request, self._ask)

    async def _openai(self, request: Request) -> Response:
        if self._refusal(request) is not None:
            kind, status = ("not_found_error", 404) if self._engine.address else ("unavailable_error", 503)
            message = f"endpoint {request.path_params['name']} is unknown or still loading"
            return JSONResponse({"error": {"code": status, "message": message, "type": kind}}, status_code=status)
        try:
            answer = await self._ask(await request.body())
        except httpx.HTTPError as error:
            failure = {"code": 502, "message": f"the model server failed: {error}", "type": "server_error"}
            return JSONResponse({"error": failure}, status_code=502)
        return StreamingResponse(_pieces(answer), answer.status_code, media_type=answer.headers["content-type"])

    async def _ask(self, body: bytes) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._engine.api_key}", "Content-Type": "application/json"}
        request = self._client.build_request("POST", f"{self._engine.address}{_CHAT}", content=body, headers=headers)
        return await self._client.send(request, stream=True)

    def _refusal(self, request: Request) -> Response | None:
        name = request.path_params["name"]
        if name != self._endpoint:
            return _error("ValidationError", 400, {"Message": f"Endpoint {name} of account 000000000000 not found."})
        if self._engine.address is None:
            return _error("ModelNotReadyException", 429, {"Message": "The model is still loading: try again."})
        return None


def _error(kind: str, status: int, body: Mapping[str, str | int]) -> Response:
    return JSONResponse(dict(body), status_code=status, headers={"x-amzn-errortype": kind})


def _model_error(status: int, text: str) -> Response:
    message = f'Received {"client" if status < 500 else "server"} error ({status}) from primary with message "{text}"'
    return _error("ModelError", 424, {"Message": message, "OriginalStatusCode": status, "OriginalMessage": text})


async def _frames(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in _pieces(answer):
            yield payload_part(piece)
    except httpx.HTTPError as error:
        yield stream_error(f"the model server broke off: {type(error).__name__}")


async def _pieces(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Yield what the model sends, as it comes; closing the response makes llama.cpp stop working on it."""
    try:
        async for piece in answer.aiter_raw():
            yield piece
    finally:
        await answer.aclose()
