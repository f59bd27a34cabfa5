"""What a reader gets: a page of a run's events, or the text of one event in a stream."""

from collections.abc import Sequence

import msgspec

from plinth.contracts.events import LoggedEvent, RunEnded


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """Events in order. `next` is what to pass as `after` from here; `ended` says that nothing will follow."""

    events: tuple[LoggedEvent, ...]
    next: int
    ended: bool


def page_of(events: Sequence[LoggedEvent], *, after: int, run_ended: bool) -> EventPage:
    """Return what was read behind `after`. `run_ended` is what the run's row said before the log was read."""
    return EventPage(
        events=tuple(events),
        next=events[-1].seq if events else after,
        ended=run_ended or (bool(events) and isinstance(events[-1].event, RunEnded)),
    )


def server_sent(logged: LoggedEvent) -> bytes:
    """Return one event as text/event-stream: its number as the id, its type as the name, all of it as JSON."""
    kind = str(type(logged.event).__struct_config__.tag)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (logged.seq, kind.encode(), msgspec.json.encode(logged))
