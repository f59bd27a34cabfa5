"""The relay as an ASGI app: one route, one key check shared with the API, two ways to follow a run's log."""

import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from http import HTTPStatus
from uuid import uuid4

import msgspec
from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Send
from starlette.types import Scope as Connection

from plinth.access.admission import limit_headers, policy_headers
from plinth.access.authentication import Caller, Scope, authenticate
from plinth.access.problems import (
    PROBLEM_TYPE,
    problem_body,
    problem_headers,
    problem_of,
)
from plinth.access.readable_runs import readable_run
from plinth.access.request_log import log_failure, log_request
from plinth.access.run_ids import run_of
from plinth.contracts.events import LoggedEvent
from plinth.errors import InvalidFieldError, MethodNotAllowedError, NotFoundError, PlinthError, RequestError
from plinth.relay.following import Pace, poll, stream
from plinth.relay.pages import page_of
from plinth.relay.readers import Readers
from plinth.wiring import Services

EVENTS_PATH = "/v1/runs/{run_id}/events"
MAX_WAIT_SECONDS = 25
_SERVICE = "relay"
_PARAMETERS = ("after", "wait")
_EVENT_STREAM = "text/event-stream"
_FRESH = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def make_relay(services: Services, *, pace: Pace | None = None, readers: Readers | None = None) -> Starlette:
    """Return the app. It uses the services only when the first request comes."""
    endpoint = _Events(services, pace or Pace(), readers or Readers())
    return Starlette(
        routes=[Route(EVENTS_PATH, endpoint, methods=["GET"])],
        exception_handlers={HTTPException: _no_route},
    )


class _Events:
    def __init__(self, services: Services, pace: Pace, readers: Readers) -> None:
        self._services = services
        self._pace = pace
        self._readers = readers

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        """Answer one request, however it goes, and log one line about it: no error gets past, so no text leaks."""
        started, request_id = time.perf_counter(), uuid4().hex
        request, caller = Request(connection, receive), None
        with ExitStack() as reading:
            try:
                caller = await to_thread.run_sync(self._authenticate, request)
                reading.enter_context(self._readers.one_more(caller.tenant))
                response = await self._respond(request, caller, request_id=request_id)
            except Exception as error:  # noqa: BLE001 - whatever it is becomes a problem document
                response = _refusal(error, request_id=request_id)
            if caller is not None:
                response.headers.update(await to_thread.run_sync(self._limits_told, caller))
            await response(connection, receive, send)
        log_request(
            _SERVICE,
            caller=caller,
            method=request.method,
            route=EVENTS_PATH,
            run_id=run_of(request.url.path),
            status=response.status_code,
            duration_ms=round((time.perf_counter() - started) * 1000, 3),
            request_id=request_id,
        )

    def _authenticate(self, request: Request) -> Caller:
        services = self._services
        caller = authenticate(
            request.headers, services.tenants, environment=services.settings.environment, now=services.clock.now()
        )
        caller.require(Scope.RUNS_READ)
        return caller

    def _limits_told(self, caller: Caller) -> dict[str, str]:
        """Return the limits as every answer tells them; what is left goes unsaid where it can't be read."""
        headers = policy_headers(caller.tier)
        with suppress(PlinthError):
            headers |= limit_headers(self._services.limits.left(caller.tenant, caller.tier))
        return headers

    async def _respond(self, request: Request, caller: Caller, *, request_id: str) -> Response:
        run_id = request.path_params["run_id"]
        if strange := next((name for name in request.query_params if name not in _PARAMETERS), None):
            raise InvalidFieldError(strange[:80], f"is not a parameter of this route: use {' or '.join(_PARAMETERS)}")
        streams = _EVENT_STREAM in request.headers.get("accept", "")
        after = _number(request.headers.get("last-event-id"), "Last-Event-ID")
        if after is None:
            after = _number(request.query_params.get("after"), "after") or 0
        wait_seconds = _number(request.query_params.get("wait"), "wait", at_most=MAX_WAIT_SECONDS) or 0

        async def read(seq: int) -> list[LoggedEvent]:
            return await to_thread.run_sync(lambda: self._services.run_log.read(caller.tenant, run_id, after=seq))

        record = await to_thread.run_sync(readable_run, self._services.runs, caller, run_id)
        page = page_of(await read(after), after=after, run_ended=record.status.final)
        if streams and page.ended and not page.events:
            return Response(status_code=204, headers=_FRESH)
        if streams:
            chunks = _until_failure(stream(read, page, self._pace), request_id=request_id)
            return StreamingResponse(chunks, media_type=_EVENT_STREAM, headers=_FRESH)
        page = await poll(read, page, self._pace, wait_seconds=wait_seconds)
        return Response(msgspec.json.encode(page), media_type="application/json", headers=_FRESH)


def _number(text: str | None, field: str, *, at_most: int = 10**10) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 11 and int(text) <= at_most):
        raise InvalidFieldError(field, f"must be a whole number from 0 to {at_most}")
    return int(text)


async def _until_failure(chunks: AsyncIterator[bytes], *, request_id: str) -> AsyncIterator[bytes]:
    """End at an unforeseen error: it is too late for another status, and the reader resumes with Last-Event-ID."""
    try:
        async for chunk in chunks:
            yield chunk
    except Exception as error:  # noqa: BLE001 - see above
        log_failure(_SERVICE, error, request_id=request_id)


def _refusal(error: Exception, *, request_id: str) -> Response:
    problem = problem_of(error, request_id=request_id)
    if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log_failure(_SERVICE, error, request_id=request_id)
    return Response(
        msgspec.json.encode(problem_body(problem)),
        status_code=problem.status,
        media_type=PROBLEM_TYPE,
        headers={**_FRESH, **problem_headers(error)},
    )


def _no_route(request: Request, error: Exception) -> Response:
    told: RequestError = NotFoundError("no such route: this serves the events of runs")
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        told = MethodNotAllowedError(f"{request.method} is not for this route: use GET", allowed="GET")
    request_id = uuid4().hex
    log_request(_SERVICE, caller=None, method=request.method, route="none", status=told.status, request_id=request_id)
    return _refusal(told, request_id=request_id)
