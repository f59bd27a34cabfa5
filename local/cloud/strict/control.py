"""How strict mode's chances are read and set while the cloud runs: `GET` and `PUT /_plinth/chances` on its port."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from local.cloud.strict.chances import Chances, Fate

PATH = "/_plinth/chances"

Message = dict[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


def with_control(application: Application, fate: Fate) -> Application:
    """Return the application with a route of ours before its own.

    GET tells {"chances", "calls"}: what is in force, and the requests of each function's last invocation. PUT takes
    fields of `Chances`; those that it leaves out have their defaults again. An unknown or wrong one is a 400.
    """

    async def serve(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await application(scope, receive, send)
            return
        status, body = answer(scope["method"], await _body(receive), fate)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return serve


def answer(method: str, body: bytes, fate: Fate) -> tuple[int, bytes]:
    """Carry out one request; return a status and JSON."""
    if method == "PUT":
        try:
            fate.set(msgspec.json.decode(body, type=Chances))
        except msgspec.MsgspecError as error:
            return 400, msgspec.json.encode({"message": f"{error}: see docs/how-to/aws-strict-mode.md"})
    elif method != "GET":
        return 405, msgspec.json.encode({"message": "GET and PUT are allowed"})
    return 200, msgspec.json.encode({"chances": fate.chances, "calls": fate.calls})


async def _body(receive: Callable[[], Awaitable[Message]]) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body
