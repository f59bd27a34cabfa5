"""What AWS imposes on a stream, imposed on the relay of the laptop: an end in time, and no long silence."""

from dataclasses import dataclass

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How long a connection lasts, and how long it may be silent, in seconds.

    The relay's own function is ended after 70 s (`cdk/steps.py`); CloudFront hangs up on an origin that is silent for
    30 s ("Response timeout", Amazon CloudFront developer guide, read 2026-11), API Gateway after 5 minutes.
    """

    connection: float = 70.0
    silence: float = 30.0


@dataclass(frozen=True, slots=True)
class Limited:
    """An app with these limits. It is an object, since Starlette takes a function for what answers a request."""

    relay: ASGIApp
    limits: StreamLimits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; a limit that is over breaks the connection off, as the end of a function does."""
        with anyio.move_on_after(self.limits.connection), anyio.move_on_after(self.limits.silence) as silence:

            async def heard(message: Message) -> None:
                silence.deadline = anyio.current_time() + self.limits.silence
                await send(message)

            await self.relay(scope, receive, heard)


def limited(relay: ASGIApp, limits: StreamLimits | None = None) -> ASGIApp:
    """Return the app with these limits."""
    return Limited(relay, limits or StreamLimits())
