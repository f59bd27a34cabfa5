"""Which requests of Plinth's code the engine has met: their shapes and what was refused of them, and no contents."""

from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.search.shapes import refusals, shapes

_CLIENT = "opensearch-py"


class Noting:
    """An application that also writes each new shape to a file.

    Plinth's client is opensearch-py; what comes from another, or with an X-Opaque-Id, is a health check's or a test's.
    """

    def __init__(self, application: ASGIApp, file: Path) -> None:
        self._application = application
        self._file = file
        self._met: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, and note the request and its answer."""
        request = Request(scope, receive)
        if not request.headers.get("user-agent", "").startswith(_CLIENT) or "x-opaque-id" in request.headers:
            await self._application(scope, receive, send)
            return
        body, status, answer = await request.body(), 0, bytearray()

        async def again() -> Message:
            return {"type": "http.request", "body": body}

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            answer.extend(message.get("body", b""))
            await send(message)

        await self._application(scope, again, watched)
        self._note(request, body, status, bytes(answer))

    def _note(self, request: Request, body: bytes, status: int, answer: bytes) -> None:
        method, path = request.method, request.url.path
        many = path.endswith(("_bulk", "_msearch"))
        asked = body if many else msgspec.json.decode(body or b"null")
        refused = refusals(method, path, status, msgspec.json.decode(answer or b"null"))
        if new := (shapes(method, path, asked, request.query_params) | refused) - self._met:
            self._met |= new
            with self._file.open("a") as notes:
                notes.writelines(f"{shape}\n" for shape in sorted(new))
