"""A reader who is cut off anywhere, again and again, ends up with each token once and none that was taken back."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from client.answers import AnswerSoFar, add
from client.api import PlinthApi
from plinth.contracts.events import Event, LoggedEvent, Reset, RunEnded, StepEnded, StepTried, TextDelta
from plinth.contracts.models import ModelEnd, StopReason, TextChunk, Usage
from plinth.contracts.runs import Run, RunStatus
from plinth.errors import ModelStreamCutError, RunSupersededError
from plinth.relay.application import make_relay
from plinth.relay.following import Pace
from plinth.runtime.streaming import TextStream, next_attempt
from tests.unit.access.world import ALICE, World

pytestmark = pytest.mark.guarantee_f
ONE_LOOK = Pace(first_pause=0.0, text_pause=0.0, longest_pause=0.001, heartbeat=0.01, connection=0.0)
LOST = "Nobody shall read this: "
TEXT = "Grüße 🦆 — “two\nlines”, and a third.\r\n\r\nThe end [1]."
USAGE = Usage(input_tokens=1, output_tokens=1)


class Page(httpx.SyncByteStream):
    """The first bytes of an answer, and then the connection breaks off."""

    def __init__(self, content: bytes, upto: int) -> None:
        self._content = content[:upto]

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        raise httpx.ReadError("cut")


def write(world: World, run: Run, texts: Sequence[str], *, because: str = "", ends: bool = True) -> None:
    """Stream an attempt at the text as CallModel does; one that does not end is a model that broke off."""
    logged = world.log.read(run.tenant, run.id, after=0)
    stream = TextStream(run=run, attempt=next_attempt(logged), because=because, log=world.log, clock=world.clock)
    steps = [StepEnded(step="BuildPrompt", started_at=1.0, duration_ms=2.0)]

    def items() -> Iterator[TextChunk | ModelEnd]:
        for text in texts:
            world.clock.advance(0.6)  # so that each text is a batch of its own
            yield TextChunk(text=text)
        if ends:
            yield ModelEnd(stop_reason=StopReason.END, usage=USAGE)

    if ends:
        stream.copy(items(), steps)
    else:
        with pytest.raises(ModelStreamCutError):
            stream.copy(items(), steps)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def run(world: World) -> Run:
    """Let a run lose its first model in the middle of the text, its first execution to a second, and a step to a retry.

    The doubled execution goes on writing after it was superseded; none of that may reach a reader.
    """
    run = world.accepted_run()
    world.log.append(
        run, [StepTried(step="ClaimRun", started_at=1.0, duration_ms=2.0, outcome="StoreUnavailableError")]
    )
    write(world, run, [LOST, "it was cut"], ends=False)
    write(world, run, ["also void"], because="model_stream_cut", ends=False)
    successor = replace(run, epoch=2)
    write(world, successor, [TEXT[:7], TEXT[7:9], TEXT[9:30]], because="execution_lost", ends=False)
    with pytest.raises(RunSupersededError):
        world.log.append(run, [TextDelta(text="a zombie", attempt=9, offset=0)])
    write(world, successor, [TEXT[:7], TEXT[7:9], TEXT[9:30], TEXT[30:]], because="model_stream_cut")
    world.runs.rows[run.tenant, run.id].record = replace(world.runs.rows[run.tenant, run.id].record, epoch=2)
    world.log.append(successor, [RunEnded(status=RunStatus.DONE, text_length=len(TEXT))])
    return run


@pytest.fixture
def relay(world: World) -> Iterator[TestClient]:
    headers = {"Authorization": f"Bearer {world.issue(ALICE).text}"}
    with TestClient(make_relay(world.services, pace=ONE_LOOK), headers=headers) as client:
        yield client


class Answers:
    """What the relay answers to each Last-Event-ID: asked once, cut in many ways."""

    def __init__(self, relay: TestClient, run: Run) -> None:
        self._relay = relay
        self._path = f"/v1/runs/{run.id}/events"
        self._known: dict[str, bytes] = {}

    def after(self, seen: str) -> bytes:
        if seen not in self._known:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": seen} if seen else {})
            self._known[seen] = self._relay.get(self._path, headers=headers).content
        return self._known[seen]

    def reader(self, cuts: Sequence[int]) -> PlinthApi:
        """Return a client whose first connections are each cut after so many bytes."""
        left = list(cuts)

        def handler(request: httpx.Request) -> httpx.Response:
            content = self.after(request.headers.get("Last-Event-ID", ""))
            if left:
                return httpx.Response(200, stream=Page(content, left.pop(0)))
            return httpx.Response(200, content=content) if content else httpx.Response(204)

        return PlinthApi(
            "http://127.0.0.1:1", key="pl_local_x", transport=httpx.MockTransport(handler), pause=lambda _: None
        )


def read(api: PlinthApi, run: Run) -> tuple[list[LoggedEvent], AnswerSoFar, list[str]]:
    """Return the events, what they add up to, and what a person saw after each of them."""
    events, so_far, seen = list[LoggedEvent](), AnswerSoFar(), list[str]()
    with api:
        for event in api.events(run.id):
            events.append(event)
            so_far = add(so_far, event.event)
            seen.append(so_far.text)
    return events, so_far, seen


def expect_whole(events: Sequence[LoggedEvent], so_far: AnswerSoFar) -> None:
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert so_far.text == TEXT
    assert so_far.ended is not None
    assert so_far.ended.text_length == len(TEXT)


def test_a_reader_who_is_cut_at_any_byte_has_every_token_once(world: World, relay: TestClient, run: Run) -> None:
    answers = Answers(relay, run)
    whole = answers.after("")

    for cut in range(len(whole)):
        events, so_far, _ = read(answers.reader([cut]), run)
        expect_whole(events, so_far)
        assert events == world.log.read(ALICE, run.id, after=0)


def test_a_reader_who_is_cut_behind_every_single_event_has_every_token_once(relay: TestClient, run: Run) -> None:
    answers = Answers(relay, run)
    count = answers.after("").count(b"\nid: ")
    cuts = [_end_of_first(answers.after(str(seen) if seen else "")) for seen in range(count)]

    events, so_far, _ = read(answers.reader(cuts), run)

    assert len(cuts) > 10
    expect_whole(events, so_far)


def _end_of_first(content: bytes) -> int:
    """Return where the first event of an answer ends: behind the line that says when to come back."""
    return content.index(b"\n\n", content.index(b"data: ")) + 2


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(min_value=0, max_value=2500), max_size=25))
def test_a_reader_who_is_cut_at_random_bytes_again_and_again_has_every_token_once(
    relay: TestClient, run: Run, cuts: list[int]
) -> None:
    events, so_far, _ = read(Answers(relay, run).reader(cuts), run)

    expect_whole(events, so_far)


def test_text_that_was_taken_back_is_never_seen_again(relay: TestClient, run: Run) -> None:
    events, _, seen = read(Answers(relay, run).reader([]), run)

    resets = [index for index, event in enumerate(events) if isinstance(event.event, Reset)]
    assert len(resets) == 3
    assert [seen[index] for index in resets] == ["", "", ""]
    assert all(LOST not in text for text in seen[resets[0] :])
    for before, after in pairwise(seen[resets[-1] :]):
        assert after.startswith(before)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(losses=st.lists(st.booleans(), max_size=30))
def test_a_long_poller_whose_answers_are_lost_has_every_token_once(
    relay: TestClient, run: Run, losses: list[bool]
) -> None:
    after, so_far, seqs, ended, left = 0, AnswerSoFar(), list[int](), False, list(losses)
    while not ended:
        page = relay.get(f"/v1/runs/{run.id}/events?after={after}").json()
        if left and left.pop():
            continue  # the answer never came: the reader asks the same again
        for logged in page["events"]:
            seqs.append(logged["seq"])
            so_far = add(so_far, _event(logged))
        after, ended = page["next"], page["ended"]

    assert seqs == list(range(1, len(seqs) + 1))
    assert so_far.text == TEXT


def _event(logged: object) -> Event:
    return msgspec.json.decode(json.dumps(logged), type=LoggedEvent).event
