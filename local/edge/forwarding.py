"""How a request reaches API Gateway and its answer comes back: unchanged, piece by piece, within the body limit."""

from collections.abc import Iterable
from http import HTTPStatus

import httpx
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

MAX_BODY_BYTES = 10 * 1024 * 1024
"""Amazon API Gateway quotas, REST API payload size: 10 MB, not adjustable (read 2026-11)."""
_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer".split()
    + b"transfer-encoding upgrade".split()
)
"""RFC 9110, section 7.6.1, and what else belongs to one connection only."""
_TIMEOUT = httpx.Timeout(35.0, connect=5.0)
"""API Gateway itself gives up after 29 s."""


class Forwarder:
    """Passes requests on to one API. `transport` replaces the network, for tests."""

    def __init__(self, api_url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._api_url = api_url.rstrip("/")
        self._http = httpx.AsyncClient(timeout=_TIMEOUT, transport=transport, trust_env=False)
        self._http.headers.clear()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def forward(self, request: Request) -> Response:
        """Return the API's answer, or a problem document: 413 above the body limit, 502 where nothing answers."""
        body = await _limited_body(request)
        if body is None:
            return problem(413, "too_large", f"the body is over the limit of {MAX_BODY_BYTES} bytes")
        headers = _end_to_end(request.headers.raw, drop=(b"host", b"content-length"))
        try:
            answer = await self._http.send(
                self._http.build_request(request.method, self._url(request), headers=headers, content=body),
                stream=True,
            )
        except httpx.TransportError as error:
            return problem(
                502,
                "api_unreachable",
                f"the API at {self._api_url} does not answer ({type(error).__name__}): "
                "see `plinth status`, and start the stack with `make run`",
            )
        passed_on = StreamingResponse(
            answer.aiter_raw(), status_code=answer.status_code, background=BackgroundTask(answer.aclose)
        )
        passed_on.raw_headers = _end_to_end(answer.headers.raw)
        return passed_on

    def _url(self, request: Request) -> str:
        path = request.scope["raw_path"].decode("ascii")
        query = request.scope["query_string"].decode("ascii")
        return f"{self._api_url}{path}" + (f"?{query}" if query else "")


def problem(status: int, code: str, detail: str) -> Response:
    """Return a problem document (RFC 9457) like those of the API."""
    title = HTTPStatus(status).phrase
    document = {"type": f"urn:plinth:problem:{code}", "title": title, "status": status, "detail": detail, "code": code}
    return JSONResponse(document, status_code=status, media_type="application/problem+json")


async def _limited_body(request: Request) -> bytes | None:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


def _end_to_end(headers: Iterable[tuple[bytes, bytes]], *, drop: Iterable[bytes] = ()) -> list[tuple[bytes, bytes]]:
    """Return the header fields that are meant for the other end; those that Connection names are not."""
    fields = [(name.lower(), value) for name, value in headers]
    named = {word.strip().lower() for name, value in fields if name == b"connection" for word in value.split(b",")}
    unwanted = _HOP_BY_HOP | named | set(drop)
    return [(name, value) for name, value in fields if name not in unwanted]
