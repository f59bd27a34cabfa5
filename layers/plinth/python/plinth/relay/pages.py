"""What a reader gets at once: a page of a run's events for the long poll, the text of one event for a stream."""

from collections.abc import Sequence

import msgspec

from plinth.contracts.events import LoggedEvent, RunEnded


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """Events in order. `next` is what to pass as `after` from here; `ended` says that no event will follow."""

    events: tuple[LoggedEvent, ...]
    next: int
    ended: bool


def page_of(events: Sequence[LoggedEvent], *, after: int, run_ended: bool) -> EventPage:
    """Return the events behind `after` as a page; the run has ended if its last event says so, or its row."""
    return EventPage(
        events=tuple(events),
        next=events[-1].seq if events else after,
        ended=has_end(events) or (run_ended and not events),
    )


def has_end(events: Sequence[LoggedEvent]) -> bool:
    """Say whether these events close the log."""
    return bool(events) and isinstance(events[-1].event, RunEnded)


def server_sent(logged: LoggedEvent) -> bytes:
    """Return one event as text/event-stream: its number as the id, its type as the name, all of it as JSON."""
    kind = type(logged.event).__struct_config__.tag
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (logged.seq, str(kind).encode(), msgspec.json.encode(logged))
