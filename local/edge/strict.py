"""What AWS imposes on streams, imposed on the relay of the laptop, and what it imposes on the head of a request."""

from dataclasses import dataclass

import anyio
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How long a connection lasts and how long it may be silent, in seconds, and how many there are at once.

    The relay's own function is ended after 70 s (`cdk/steps.py`); CloudFront hangs up on an origin that is silent for
    30 s ("Response timeout", Amazon CloudFront developer guide, read 2026-11), API Gateway after 5 minutes. Each reader
    holds a function, of which production reserves 200 (`cdk/environments.py`).
    """

    connection: float = 70.0
    silence: float = 30.0
    readers: int = 200


@dataclass(slots=True)
class Limited:
    """An app with these limits. It is an object, since Starlette takes a function for what answers a request."""

    relay: ASGIApp
    limits: StreamLimits
    readers: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse one reader too many as API Gateway does where Lambda throttles.

        It answers 500 (AWS Lambda guide, "Handling Lambda errors with an API Gateway API", read 2026-11).
        """
        if self.readers >= self.limits.readers:
            await JSONResponse({"message": "Internal server error"}, 500)(scope, receive, send)
            return
        self.readers += 1
        try:
            await self._answer(scope, receive, send)
        finally:
            self.readers -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; a time that is over breaks the connection off, as the end of a function does."""
        with anyio.move_on_after(self.limits.connection), anyio.move_on_after(self.limits.silence) as silence:

            async def heard(message: Message) -> None:
                silence.deadline = anyio.current_time() + self.limits.silence
                await send(message)

            await self.relay(scope, receive, heard)


def limited(relay: ASGIApp, limits: StreamLimits | None = None) -> ASGIApp:
    """Return the app with these limits."""
    return Limited(relay, limits or StreamLimits())


# "Amazon API Gateway quotas", REST APIs: total combined size of request line and header values (read 2026-11).
HEAD_BYTES = 10_240


@dataclass(frozen=True, slots=True)
class ShortHeads:
    """An app behind API Gateway, which refuses longer heads; with which status is not verified on AWS."""

    application: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413 to a request to the API whose head is too long, and else as the app does."""
        if scope["type"] == "http" and scope["path"].startswith("/v1/"):
            line = len(scope["method"]) + len(scope["raw_path"]) + len(scope["query_string"])
            if line + sum(len(value) for _, value in scope["headers"]) > HEAD_BYTES:
                await JSONResponse({"message": "Request Entity Too Large"}, 413)(scope, receive, send)
                return
        await self.application(scope, receive, send)
