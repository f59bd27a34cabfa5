"""Following: each event once and in order, heartbeats in silence, an end at the run's end or in time."""

import anyio
import msgspec
import pytest

from cdk.steps import RELAY
from plinth.contracts.events import Event, LoggedEvent, Reset, RunAccepted, RunEnded, TextDelta
from plinth.contracts.runs import RunStatus
from plinth.errors import StoreUnavailableError
from plinth.relay.following import Pace, poll, stream
from plinth.relay.pages import EventPage, page_of, server_sent

CLOUDFRONT_SILENCE_SECONDS = 30
FAST = Pace(first_pause=0.001, text_pause=0.001, longest_pause=0.002, heartbeat=10, connection=10)
ENDED = RunEnded(status=RunStatus.DONE)


def logged(*events: Event) -> list[LoggedEvent]:
    return [LoggedEvent(seq=seq, epoch=1, at=1.0, event=event) for seq, event in enumerate(events, 1)]


def text(number: int) -> TextDelta:
    return TextDelta(text=f"{number} ", attempt=1, offset=number)


class GrowingLog:
    """Shows one event more at each look; an error in the place of an event is raised."""

    def __init__(self, *events: Event | Exception) -> None:
        self._events = events
        self.looks = 0

    async def read(self, after: int) -> list[LoggedEvent]:
        self.looks += 1
        shown = [event for event in self._events[: self.looks] if not isinstance(event, Exception)]
        if self.looks <= len(self._events) and isinstance(failure := self._events[self.looks - 1], Exception):
            raise failure
        return logged(*shown)[after:]


def streamed(log: GrowingLog, *, after: int = 0, pace: Pace = FAST) -> list[bytes]:
    async def everything() -> list[bytes]:
        page = EventPage(events=(), next=after, ended=False)
        return [piece async for piece in stream(log.read, page, pace)]

    return anyio.run(everything)


def ids(pieces: list[bytes]) -> list[int]:
    return [int(line[4:]) for line in b"".join(pieces).split(b"\n") if line.startswith(b"id: ")]


def test_every_event_is_streamed_once_and_in_order_until_the_run_ends() -> None:
    log = GrowingLog(RunAccepted(model="m"), *(text(number) for number in range(20)), ENDED)

    assert ids(streamed(log)) == list(range(1, 23))
    assert log.looks == 22


def test_a_resumed_stream_begins_behind_the_last_event_seen() -> None:
    assert ids(streamed(GrowingLog(RunAccepted(model="m"), text(0), text(1), ENDED), after=2)) == [3, 4]


def test_a_stream_of_a_silent_run_ends_in_time_and_looks_ever_more_rarely() -> None:
    log = GrowingLog()
    pace = Pace(first_pause=0.01, longest_pause=0.05, heartbeat=10, connection=0.5)

    assert ids(streamed(log, pace=pace)) == []
    assert log.looks < 0.5 / 0.01 / 2


def test_looks_are_rarer_once_text_has_come() -> None:
    log = GrowingLog(RunAccepted(model="m"), *(text(number) for number in range(50)), ENDED)
    pace = Pace(first_pause=0.001, text_pause=0.05, longest_pause=0.05, heartbeat=10, connection=0.5)

    streamed(log, pace=pace)

    assert log.looks < 0.5 / 0.05 + 4


def test_silence_is_filled_with_heartbeats_that_are_no_events() -> None:
    pieces = streamed(GrowingLog(), pace=Pace(first_pause=0.01, longest_pause=0.01, heartbeat=0.05, connection=0.3))

    assert pieces[0] == b"retry: 1000\n\n"
    assert set(pieces[1:]) == {b": heartbeat\n\n"}
    assert 2 <= len(pieces[1:]) <= 6


def test_a_connection_is_heard_of_before_anyone_gives_it_up_and_ends_before_its_function_does() -> None:
    pace = Pace()

    assert (pace.heartbeat, pace.connection) == (10.0, 60.0)
    assert pace.heartbeat < CLOUDFRONT_SILENCE_SECONDS
    assert pace.connection + pace.longest_pause < RELAY.timeout_seconds


def test_a_store_that_fails_ends_the_stream_so_that_the_reader_resumes() -> None:
    pieces = streamed(GrowingLog(RunAccepted(model="m"), StoreUnavailableError("throttled"), ENDED))

    assert ids(pieces) == [1]


@pytest.mark.parametrize(
    "event",
    [
        RunAccepted(model="m"),
        text(1),
        Reset(attempt=2, reason="stall"),
        TextDelta(text="a\n\nb\r", attempt=1, offset=0),
    ],
)
def test_an_event_is_one_message_with_its_number_type_and_whole_json(event: Event) -> None:
    [one] = logged(event)

    lines = server_sent(one).decode().splitlines()

    assert lines[0] == "id: 1"
    assert lines[1] == f"event: {msgspec.to_builtins(event)['type']}"
    assert msgspec.json.decode(lines[2].removeprefix("data: "), type=LoggedEvent) == one
    assert lines[3:] == [""]


def polled(log: GrowingLog, *, wait_seconds: float, ended: bool = False) -> EventPage:
    async def once() -> EventPage:
        return await poll(log.read, EventPage(events=(), next=0, ended=ended), FAST, wait_seconds=wait_seconds)

    return anyio.run(once)


def test_a_long_poll_answers_as_soon_as_there_is_an_event() -> None:
    page = polled(GrowingLog(text(0)), wait_seconds=20)

    assert (len(page.events), page.next, page.ended) == (1, 1, False)


def test_a_long_poll_of_a_silent_run_is_empty_when_its_wait_is_over() -> None:
    page = polled(GrowingLog(), wait_seconds=0.02)

    assert (page.events, page.next, page.ended) == ((), 0, False)


def test_a_long_poll_of_an_ended_run_does_not_wait() -> None:
    log = GrowingLog()

    assert polled(log, wait_seconds=20, ended=True).ended
    assert log.looks == 0


@pytest.mark.parametrize(
    ("events", "run_ended", "ended"),
    [
        ((), False, False),
        ((), True, True),
        ((text(0),), False, False),
        ((text(0), ENDED), False, True),
        ((text(0),), True, True),
    ],
)
def test_a_page_says_whether_anything_will_follow(events: tuple[Event, ...], run_ended: bool, ended: bool) -> None:  # noqa: FBT001
    assert page_of(logged(*events), after=0, run_ended=run_ended).ended is ended
