"""How a run's log is followed: read, rest a little longer each time that nothing came, stop at the end or in time."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import anyio

from plinth.contracts.events import LoggedEvent, TextDelta
from plinth.errors import TransientError
from plinth.relay.pages import EventPage, page_of, server_sent

Read = Callable[[int], Awaitable[list[LoggedEvent]]]
_PAUSE_GROWTH = 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often to look, when to say that the connection lives, and when to end it. All in seconds.

    `text_pause` takes the place of `first_pause` once text has come: its batches are further and further apart.
    CloudFront ends a connection that is silent for 30 s; 60 s keep a reader's Lambda short. Each look is one query.
    """

    first_pause: float = 0.1
    text_pause: float = 0.25
    longest_pause: float = 0.5
    heartbeat: float = 10.0
    connection: float = 60.0


async def stream(read: Read, page: EventPage, pace: Pace) -> AsyncIterator[bytes]:
    """Yield text/event-stream from this page on: until the run has ended, or the connection has lasted long enough.

    A store that fails ends the stream too: the reader resumes with Last-Event-ID.
    """
    opened = heard = time.monotonic()
    pause = shortest = _shortest(page, pace, before=pace.first_pause)
    yield b"retry: 1000\n\n" + _text(page.events)
    while not page.ended and time.monotonic() - opened < pace.connection:
        await anyio.sleep(pause)
        try:
            events = await read(page.next)
        except TransientError:
            return
        page = page_of(events, after=page.next, run_ended=False)
        shortest = _shortest(page, pace, before=shortest)
        pause = shortest if events else min(pause * _PAUSE_GROWTH, pace.longest_pause)
        if events or time.monotonic() - heard >= pace.heartbeat:
            heard = time.monotonic()
            yield _text(events) or b": heartbeat\n\n"


async def poll(read: Read, page: EventPage, pace: Pace, *, wait_seconds: float) -> EventPage:
    """Return this page, or where it is empty the first one that is not, or the empty one when the wait is over."""
    give_up = time.monotonic() + wait_seconds
    pause = pace.first_pause
    while not page.events and not page.ended and time.monotonic() < give_up:
        await anyio.sleep(pause)
        page = page_of(await read(page.next), after=page.next, run_ended=False)
        pause = min(pause * _PAUSE_GROWTH, pace.longest_pause)
    return page


def _shortest(page: EventPage, pace: Pace, *, before: float) -> float:
    return pace.text_pause if any(isinstance(each.event, TextDelta) for each in page.events) else before


def _text(events: Sequence[LoggedEvent]) -> bytes:
    return b"".join(map(server_sent, events))
