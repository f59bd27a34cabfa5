"""The relay: the API's key check, then the log of one's own run, as a stream or by page."""

from collections.abc import Iterator, Sequence

import msgspec
import pytest
from starlette.testclient import TestClient

from plinth.contracts.access import Tier
from plinth.contracts.events import LoggedEvent, RunEnded, TextDelta
from plinth.contracts.limits import Left
from plinth.contracts.runs import Run, RunStatus
from plinth.contracts.tenant import Tenant
from plinth.errors import RateLimitedError, StoreUnavailableError
from plinth.relay.application import make_relay
from plinth.relay.following import Pace
from plinth.relay.pages import EventPage
from plinth.relay.readers import Readers
from tests.fakes.limits import FakeLimits
from tests.fakes.runs import FakeRunLog
from tests.unit.access.world import ALICE, BOB, World

FAST = Pace(first_pause=0.001, text_pause=0.001, longest_pause=0.002, heartbeat=0.05, connection=1.0)
CANARY = "the colour of the canary"
STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def world() -> World:
    """Keep everything in memory."""
    return World()


@pytest.fixture
def relay(world: World) -> Iterator[TestClient]:
    """Call the relay with a key of Alice's."""
    headers = {"Authorization": f"Bearer {world.issue(ALICE).text}"}
    with TestClient(make_relay(world.services, pace=FAST), headers=headers, raise_server_exceptions=False) as client:
        yield client


def url(run: Run, query: str = "") -> str:
    return f"/v1/runs/{run.id}/events{query}"


def ended_run(world: World) -> Run:
    run = world.accepted_run()
    world.log.append(
        run, [TextDelta(text="Forty", attempt=1, offset=0), RunEnded(status=RunStatus.DONE, text_length=5)]
    )
    return run


def read(stream: str) -> list[LoggedEvent]:
    return [
        msgspec.json.decode(line.removeprefix("data: "), type=LoggedEvent)
        for line in stream.splitlines()
        if line.startswith("data: ")
    ]


def test_a_stream_holds_the_whole_log_of_a_run(world: World, relay: TestClient) -> None:
    run = ended_run(world)

    answer = relay.get(url(run), headers=STREAM)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert read(answer.text) == world.log.read(ALICE, run.id, after=0)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.guarantee_c
@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
def test_every_answer_to_a_key_tells_its_limits(world: World, relay: TestClient, accept: str) -> None:
    found = relay.get(url(ended_run(world)), headers={"Accept": accept})
    absent = relay.get("/v1/runs/run_00000000000000000000000099/events", headers={"Accept": accept})

    for answer in (found, absent):
        assert answer.headers["ratelimit-policy"].startswith('"requests";q=60;w=60')
        assert answer.headers["ratelimit"].startswith('"requests";r=3;t=0')


def test_an_answer_without_a_key_tells_no_limits(world: World, relay: TestClient) -> None:
    answer = relay.get(url(ended_run(world)), headers={"Authorization": "Bearer nonsense"})

    assert answer.status_code == 401
    assert "ratelimit-policy" not in answer.headers


class SilentLimits(FakeLimits):
    """A row of limits that can't be read."""

    def left(self, tenant: Tenant, tier: Tier) -> Sequence[Left]:
        raise StoreUnavailableError("throttled")


def test_limits_that_cannot_be_read_do_not_keep_the_events_back(world: World, relay: TestClient) -> None:
    world.services.limits = SilentLimits(world.clock)

    answer = relay.get(url(ended_run(world)), headers=STREAM)

    assert (answer.status_code, "ratelimit" in answer.headers) == (200, False)
    assert answer.headers["ratelimit-policy"]


@pytest.mark.parametrize("seen", ["header", "query", "both"])
def test_a_stream_resumes_behind_the_last_event_seen(world: World, relay: TestClient, seen: str) -> None:
    run = ended_run(world)
    headers = STREAM | ({"Last-Event-ID": "2"} if seen != "query" else {})
    query = {"header": "", "query": "?after=2", "both": "?after=0"}[seen]

    answer = relay.get(url(run, query), headers=headers)

    assert [event.seq for event in read(answer.text)] == [3]


def test_a_reader_who_has_every_event_of_an_ended_run_is_told_not_to_come_back(world: World, relay: TestClient) -> None:
    answer = relay.get(url(ended_run(world)), headers=STREAM | {"Last-Event-ID": "3"})

    assert (answer.status_code, answer.text) == (204, "")


def test_a_stream_of_a_run_under_way_ends_in_time(world: World, relay: TestClient) -> None:
    answer = relay.get(url(world.accepted_run()), headers=STREAM)

    assert [event.seq for event in read(answer.text)] == [1]
    assert ": heartbeat" in answer.text


def test_a_page_holds_the_events_and_where_to_go_on(world: World, relay: TestClient) -> None:
    run = ended_run(world)

    page = msgspec.json.decode(relay.get(url(run, "?after=1&wait=5")).content, type=EventPage)

    assert ([event.seq for event in page.events], page.next, page.ended) == ([2, 3], 3, True)


def test_a_page_behind_the_last_event_of_a_run_under_way_is_empty(world: World, relay: TestClient) -> None:
    answer = relay.get(url(world.accepted_run(), "?after=1"))

    assert answer.json() == {"events": [], "next": 1, "ended": False}


@pytest.mark.parametrize("headers", [{}, STREAM])
def test_no_event_is_read_without_a_key(world: World, headers: dict[str, str]) -> None:
    run = world.accepted_run()

    answer = TestClient(make_relay(world.services)).get(url(run), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_key_without_the_scope_reads_no_event(world: World) -> None:
    key = world.issue(scopes=("runs:write",))

    answer = TestClient(make_relay(world.services)).get(url(world.accepted_run()), headers={"x-api-key": key.text})

    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


@pytest.mark.guarantee_e
@pytest.mark.parametrize("headers", [{}, STREAM])
def test_the_events_of_a_foreign_run_or_of_more_labels_are_as_absent_as_those_of_none(
    world: World, relay: TestClient, headers: dict[str, str]
) -> None:
    absent = "run_" + "z" * 26

    for hidden in (world.accepted_run(BOB).id, world.accepted_run(labels=("board",)).id):
        answers = [relay.get(f"/v1/runs/{run_id}/events", headers=headers) for run_id in (hidden, absent)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].text.replace(hidden, "") == answers[1].text.replace(absent, "")


@pytest.mark.parametrize(
    ("query", "headers", "field"),
    [
        ("?after=x", {}, "after"),
        ("?afetr=1", {}, "afetr"),
        ("?after=-1", {}, "after"),
        ("?after=" + "9" * 400, {}, "after"),
        ("?wait=26", {}, "wait"),
        ("?wait=1.5", {}, "wait"),
        ("?wait=", {}, "wait"),
        ("", {"Last-Event-ID": "x"}, "Last-Event-ID"),
        ("", {"Last-Event-ID": "²"}, "Last-Event-ID"),
    ],
)
def test_a_number_out_of_range_is_named(
    world: World, relay: TestClient, query: str, headers: dict[str, str], field: str
) -> None:
    sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]

    answer = relay.get(url(world.accepted_run(), query), headers=sent)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/v1/runs/x/events", 405), ("GET", "/v1/x", 404), ("GET", "/v1/runs/x/events", 404)],
)
def test_a_route_or_method_that_is_not_there_is_a_problem_document(
    relay: TestClient, method: str, path: str, status: int
) -> None:
    answer = relay.request(method, path)

    assert (answer.status_code, answer.json()["status"]) == (status, status)


class BrokenLog(FakeRunLog):
    """Reads well so many times, then raises what nobody foresaw."""

    def __init__(self, world: World, good: int) -> None:
        super().__init__(world.runs)
        self._good = good

    def read(self, tenant: Tenant, run_id: str, *, after: int) -> list[LoggedEvent]:
        self._good -= 1
        if self._good < 0:
            raise KeyError(CANARY)
        return []


def answered(caplog: pytest.LogCaptureFixture) -> list[int]:
    """Return the status of each request's own log line."""
    return [vars(record)["status"] for record in caplog.records if record.getMessage() == "request answered"]


def test_an_unforeseen_error_is_a_500_without_details_in_answer_or_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.services.run_log = BrokenLog(world, good=0)
    key = world.issue()

    answer = TestClient(make_relay(world.services)).get(url(world.accepted_run()), headers={"x-api-key": key.text})

    logged = "\n".join(str(vars(record)) for record in caplog.records)
    assert (answer.status_code, answer.json()["code"], answered(caplog)) == (500, "internal_error", [500])
    assert answer.json()["request_id"] in logged
    assert "KeyError" in logged
    assert not [word for word in (CANARY, key.secret, "alice") if word in logged + answer.text]


def test_an_unforeseen_error_within_a_stream_ends_it_and_is_logged_without_its_text(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.services.run_log = BrokenLog(world, good=2)
    headers = {"x-api-key": world.issue().text} | STREAM

    answer = TestClient(make_relay(world.services, pace=FAST)).get(url(world.accepted_run()), headers=headers)

    logged = "\n".join(str(vars(record)) for record in caplog.records)
    assert (answer.status_code, answered(caplog)) == (200, [200])
    assert "KeyError" in logged
    assert CANARY not in logged


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/runs/x/events", 401),
        ("GET", "/v1/runs/x/events", 404),
        ("GET", "/v1/x", 404),
        ("POST", "/v1/runs/x/events", 405),
    ],
)
def test_every_refusal_is_one_log_line(
    world: World, caplog: pytest.LogCaptureFixture, method: str, path: str, status: int
) -> None:
    headers = {} if status == 401 else {"x-api-key": world.issue().text}

    TestClient(make_relay(world.services)).request(method, path, headers=headers)

    assert answered(caplog) == [status]


def test_a_tenant_has_a_limited_number_of_readers_and_others_are_not_touched() -> None:
    readers = Readers(limit=2)

    with readers.one_more(ALICE), readers.one_more(ALICE), readers.one_more(BOB), pytest.raises(RateLimitedError):
        readers.one_more(ALICE).__enter__()


def test_a_reader_who_leaves_makes_room() -> None:
    readers = Readers(limit=1)

    for _ in range(3):
        with readers.one_more(ALICE):
            pass


def test_a_reader_above_the_limit_gets_a_429_with_a_time_to_come_back(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    key = world.issue()
    relay = TestClient(make_relay(world.services, readers=Readers(limit=0)))

    answer = relay.get(url(world.accepted_run()), headers={"x-api-key": key.text})

    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (429, "rate_limited", "5")
    assert answered(caplog) == [429]
