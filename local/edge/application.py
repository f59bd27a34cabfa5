"""Which requests the edge answers itself, relays or forwards: console and health, event streams, the rest of /v1."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from local.edge.forwarding import Forwarder

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def build_application(*, console: Path, forwarder: Forwarder, relay: ASGIApp) -> Starlette:
    """Return the edge as an ASGI app."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        yield
        await forwarder.close()

    return Starlette(
        routes=[
            Route("/edge/health", _health),
            Route("/v1/runs/{run_id}/events", relay, methods=["GET"]),
            Route("/v1/{rest:path}", forwarder.forward, methods=_METHODS),
            Mount("/", StaticFiles(directory=console, html=True)),
        ],
        lifespan=lifespan,
    )


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})
