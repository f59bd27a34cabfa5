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


def limited(relay: ASGIApp, limits: StreamLimits | None = None) -> ASGIApp:
    """Return the app with these limits: one that is over breaks the connection off, as the end of a function does."""
    given = limits or StreamLimits()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        with anyio.move_on_after(given.connection), anyio.move_on_after(given.silence) as silence:

            async def heard(message: Message) -> None:
                silence.deadline = anyio.current_time() + given.silence
                await send(message)

            await relay(scope, receive, heard)

    return application
