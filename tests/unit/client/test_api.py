"""What the API client sends, how it follows a run through lost connections, and how it tells of refusals."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from client.api import PlinthApi, Question
from client.errors import ApiError, NotReachableError
from plinth.contracts.events import LoggedEvent, RunEnded, TextDelta
from plinth.contracts.runs import RunStatus

Handler = Callable[[httpx.Request], httpx.Response]


def api_over(handler: Handler) -> PlinthApi:
    return PlinthApi(
        "http://127.0.0.1:1", key="pl_local_x", transport=httpx.MockTransport(handler), pause=lambda _: None
    )


def logged(seq: int, event: dict[str, object]) -> str:
    data = json.dumps({"seq": seq, "epoch": 1, "at": 1.0, "event": event})
    return f"id: {seq}\nevent: {event['type']}\ndata: {data}\n\n"


def delta(seq: int, text: str, offset: int) -> str:
    return logged(seq, {"type": "text.delta", "text": text, "attempt": 1, "offset": offset})


ENDED = {"type": "run.ended", "status": "done", "text_length": 2}


class Cut(httpx.SyncByteStream):
    """A stream that breaks behind its text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __iter__(self) -> Iterator[bytes]:
        yield self._text.encode()
        raise httpx.ReadError("connection lost")


def test_a_question_leaves_out_what_the_caller_did_not_choose() -> None:
    sent: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(202, json={"id": "run_1", "status": "accepted", "events_url": "/x", "new": 1})

    with api_over(handler) as api:
        run = api.create_run(Question(question="why?"), idempotency_key="k", wait_seconds=5)

    assert run.id == "run_1"
    assert json.loads(sent[0].content) == {"question": "why?"}
    assert sent[0].headers["Idempotency-Key"] == "k"
    assert sent[0].headers["Prefer"] == "wait=5"
    assert sent[0].headers["Authorization"] == "Bearer pl_local_x"


def test_each_question_has_an_idempotency_key_of_its_own() -> None:
    keys: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        return httpx.Response(202, json={"id": "run_1", "status": "accepted"})

    with api_over(handler) as api:
        api.create_run(Question(question="a"))
        api.create_run(Question(question="a"))

    assert len(set(keys)) == 2


def test_a_lost_connection_is_resumed_behind_the_last_event_and_nothing_comes_twice() -> None:
    resumed_from: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        resumed_from.append(request.headers.get("Last-Event-ID"))
        if len(resumed_from) == 1:
            return httpx.Response(200, stream=Cut(": hi\n\n" + delta(1, "a", 0)))
        return httpx.Response(200, text=delta(1, "a", 0) + delta(2, "b", 1) + logged(3, ENDED))

    with api_over(handler) as api:
        events = [each.event for each in api.events("run_1")]

    assert resumed_from == [None, "1"]
    assert events == [
        TextDelta(text="a", attempt=1, offset=0),
        TextDelta(text="b", attempt=1, offset=1),
        RunEnded(status=RunStatus.DONE, text_length=2),
    ]


def test_a_stream_that_the_server_ends_early_is_resumed() -> None:
    answers = iter([delta(1, "a", 0), "", logged(2, ENDED)])

    with api_over(lambda _: httpx.Response(200, text=next(answers))) as api:
        assert [each.seq for each in api.events("run_1")] == [1, 2]


def test_text_may_hold_what_else_unicode_calls_the_end_of_a_line() -> None:
    said = "one\u2028two\u2029three\x85four"
    event = {"seq": 1, "epoch": 1, "at": 1.0, "event": {"type": "text.delta", "text": said, "attempt": 1, "offset": 0}}
    stream = f"id: 1\ndata: {json.dumps(event, ensure_ascii=False)}\n\n{logged(2, ENDED)}"

    with api_over(lambda _: httpx.Response(200, text=stream)) as api:
        first, _ = api.events("run_1")

    assert first.event == TextDelta(text=said, attempt=1, offset=0)


def test_a_stream_with_nothing_left_is_the_end_and_not_asked_for_again() -> None:
    asked: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("Last-Event-ID"))
        return httpx.Response(204)

    with api_over(handler) as api:
        assert list(api.events("run_1", after=7)) == []
    assert asked == ["7"]


def test_an_event_of_an_unknown_type_is_left_out() -> None:
    text = logged(1, {"type": "tool.called", "tool": "x"}) + logged(2, ENDED)

    with api_over(lambda _: httpx.Response(200, text=text)) as api:
        events: list[LoggedEvent] = list(api.events("run_1"))

    assert [each.seq for each in events] == [2]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_stack_that_is_full_or_away_for_a_moment_does_not_lose_its_reader(status: int) -> None:
    answers = iter(
        [
            httpx.Response(200, text=delta(1, "a", 0)),
            httpx.Response(status, json={"code": "unavailable", "detail": "try again in a moment"}),
            httpx.Response(200, text=logged(2, ENDED)),
        ]
    )

    with api_over(lambda _: next(answers)) as api:
        assert [each.seq for each in api.events("run_1")] == [1, 2]


def test_a_stack_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("client.api._MOST_FAILURES", 3)
    calls: list[int] = []

    def handler(_: httpx.Request) -> httpx.Response:
        calls.append(500)
        return httpx.Response(500, json={"code": "unavailable", "detail": "full"})

    with api_over(handler) as api, pytest.raises(ApiError, match="full"):
        list(api.events("run_1"))
    assert len(calls) == 4


def test_following_a_run_that_is_not_there_fails_at_once() -> None:
    calls = 0

    def handler(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        return httpx.Response(404, json={"code": "not_found", "detail": "no such run"})

    with api_over(handler) as api, pytest.raises(ApiError, match="no such run"):
        list(api.events("run_1"))
    assert calls == 1


def test_a_problem_document_becomes_an_error_that_says_when_to_come_back() -> None:
    problem = {"detail": "the limit is reached: try again in 6.4 s", "code": "rate_limited", "status": 429}

    with (
        api_over(lambda _: httpx.Response(429, json=problem, headers={"Retry-After": "7"})) as api,
        pytest.raises(ApiError) as caught,
    ):
        api.get_run("run_1")

    assert (caught.value.status, caught.value.code, caught.value.retry_after_seconds) == (429, "rate_limited", 7.0)
    assert str(caught.value) == "the limit is reached: try again in 6.4 s [429 rate_limited]"


def test_an_answer_that_is_not_json_is_an_error_and_no_traceback() -> None:
    with (
        api_over(lambda _: httpx.Response(200, text="<html>")) as api,
        pytest.raises(ApiError, match="not what this client knows"),
    ):
        api.get_run("run_1")


def test_a_server_that_does_not_answer_is_named() -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with api_over(handler) as api, pytest.raises(NotReachableError, match=r"http://127\.0\.0\.1:1"):
        api.get_run("run_1")


def test_ids_cannot_leave_their_place_in_the_path() -> None:
    paths: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(200, json={"id": "x", "status": "done"})

    with api_over(handler) as api:
        api.get_run("../documents?x=1")

    assert paths == [b"/v1/runs/..%2Fdocuments%3Fx%3D1"]


def test_all_documents_are_listed_page_by_page() -> None:
    pages = {
        None: {"documents": [{"document_id": "a", "name": "a", "state": "ready", "updated_at": 1.0}], "next": "a"},
        "a": {"documents": [{"document_id": "b", "name": "b", "state": "ready", "updated_at": 1.0}], "next": None},
    }

    with api_over(lambda request: httpx.Response(200, json=pages[request.url.params.get("after")])) as api:
        assert [each.document_id for each in api.documents()] == ["a", "b"]
