"""Which requests are served, with which parameters; any other request or parameter is a 400 that says so."""

import zlib
from collections.abc import Awaitable, Callable

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.search import document_requests, index_requests, search_requests
from local.search.call import SOURCE_PARAMETERS, Call, Handler, Json
from local.search.engine import Engine
from local.search.errors import SearchRequestError

# OpenSearch's default for http.max_content_length.
LARGEST_BODY_BYTES = 100 * 1024 * 1024

_WAITS = ("timeout", "master_timeout", "cluster_manager_timeout")
_SEARCH = ("routing", "size", "from", "track_total_hits", "timeout", *SOURCE_PARAMETERS)
_WRITE = ("routing", "refresh", "timeout")

# Method and path, what answers it, and the parameters it takes besides `pretty`.
ROUTES: tuple[tuple[str, str, Handler, tuple[str, ...]], ...] = (
    ("GET", "/", index_requests.describe_engine, ()),
    ("GET", "/_cluster/health", index_requests.describe_health, (*_WAITS, "wait_for_status")),
    ("POST PUT", "/_bulk", document_requests.write_bulk, _WRITE),
    ("POST GET", "/_msearch", search_requests.multi_search, ()),
    ("PUT", "/{index}", index_requests.create_index, _WAITS),
    ("HEAD", "/{index}", index_requests.check_index, _WAITS),
    ("GET", "/{index}", index_requests.describe_index, _WAITS),
    ("DELETE", "/{index}", index_requests.delete_index, _WAITS),
    ("GET", "/{index}/_mapping", index_requests.describe_mapping, _WAITS),
    ("POST GET", "/{index}/_refresh", index_requests.refresh_index, ()),
    ("POST PUT", "/{index}/_bulk", document_requests.write_bulk, _WRITE),
    ("POST GET", "/{index}/_msearch", search_requests.multi_search, ()),
    ("POST GET", "/{index}/_search", search_requests.search, _SEARCH),
    ("POST GET", "/{index}/_count", search_requests.count, ("routing",)),
    (
        "POST",
        "/{index}/_delete_by_query",
        search_requests.delete_by_query,
        (*_WRITE, "conflicts", "wait_for_completion"),
    ),
    ("POST", "/{index}/_doc", document_requests.put_document, (*_WRITE, "op_type")),
    ("PUT POST", "/{index}/_doc/{id:path}", document_requests.put_document, (*_WRITE, "op_type")),
    ("GET HEAD", "/{index}/_doc/{id:path}", document_requests.get_document, ("routing", *SOURCE_PARAMETERS)),
    ("DELETE", "/{index}/_doc/{id:path}", document_requests.delete_document, _WRITE),
)


def build_application(engine: Engine) -> Starlette:
    """Return the HTTP face of an engine."""
    routes = [
        Route(path, _endpoint(engine, handler, taken), methods=methods.split())
        for methods, path, handler, taken in ROUTES
    ]
    refusals = {SearchRequestError: _refuse, HTTPException: _refuse_unserved, Exception: _refuse_fault}
    return Starlette(routes=routes, exception_handlers=refusals)


def _endpoint(engine: Engine, handler: Handler, taken: tuple[str, ...]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        if request.path_params.get("index", "").startswith("_"):
            raise HTTPException(404)
        for name in request.query_params:
            if name != "pretty" and name not in taken:
                raise SearchRequestError(f"request [{request.url.path}] contains unrecognized parameter: [{name}]")
        call = Call(engine, request.path_params, dict(request.query_params), await _read(request))
        return _respond(*await run_in_threadpool(handler, call))

    return answer


async def _read(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY_BYTES:
            raise _too_large()
        parts.append(part)
    body = b"".join(parts)
    if request.headers.get("content-encoding") != "gzip":
        return body
    try:
        unpacker = zlib.decompressobj(wbits=31)
        plain = unpacker.decompress(body, LARGEST_BODY_BYTES)
    except zlib.error as error:
        raise SearchRequestError("the body is not gzip, as its content-encoding says") from error
    if unpacker.unconsumed_tail:
        raise _too_large()
    return plain


def _too_large() -> SearchRequestError:
    reason = f"a body is at most {LARGEST_BODY_BYTES} bytes"
    return SearchRequestError(reason, kind="content_too_long_exception", status=413)


def _respond(status: int, body: Json | None) -> Response:
    content = msgspec.json.encode(body) if body is not None else b""
    return Response(content, status_code=status, media_type="application/json")


def _refuse(_: Request, error: Exception) -> Response:
    refused = error if isinstance(error, SearchRequestError) else SearchRequestError(str(error), status=500)
    return _respond(refused.status, refused.body())


def _refuse_unserved(request: Request, _: Exception) -> Response:
    reason = f"no handler found for uri [{request.url.path}] and method [{request.method}]"
    return _respond(400, SearchRequestError(reason).body())


def _refuse_fault(_: Request, error: Exception) -> Response:
    fault = SearchRequestError(f"{type(error).__name__}: {error}", kind="exception", status=500)
    return _respond(500, fault.body())
