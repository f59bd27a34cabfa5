"""`plinth conversations` and `plinth facts`: what they print, what they ask for, what they refuse."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from types import SimpleNamespace

import httpx
import pytest
from typer.testing import CliRunner, Result

from client.commands import app, remembering
from client.errors import ApiError, UsageError
from tests.unit.client.test_api import api_over

TURN = {"question": "Who?", "answer": "Ann.", "at": 0.0}
FACT = {"id": "fact_1", "text": "Ann likes ed.", "at": 86_400.0, "run_id": "run_1", "expires_at": 9}
SUMMARY = {
    "text": "Ann is the one.",
    "model": "small",
    "turns": 8,
    "from_at": 0.0,
    "until_at": 86_400.0,
    "cost_micro_usd": 1234,
    "expires_at": 9,
}
Asked = list[str]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """Serve one conversation and one fact; list what is asked for."""
    sent: Asked = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(f"{request.method} {request.url.path}")
        if request.url.path == "/v1/conversations/none":
            return httpx.Response(404, json={"detail": "no conversation none", "code": "not_found"})
        if request.method == "DELETE":
            return httpx.Response(204)
        answers = {
            "/v1/conversations": {"conversations": [{"id": "talk", "last_at": 60.0, "expires_at": 9}]},
            "/v1/conversations/talk": {"id": "talk", "turns": [TURN]},
            "/v1/conversations/long": {"id": "long", "turns": [TURN], "summary": SUMMARY},
            "/v1/facts": {"facts": [] if "DELETE /v1/facts/fact_1" in sent else [FACT]},
        }
        return httpx.Response(200, json=answers[request.url.path])

    with api_over(handler) as api:
        environment = SimpleNamespace(api=lambda: nullcontext(api))
        monkeypatch.setattr(remembering, "environment_named", lambda _: environment)
        yield sent


@pytest.fixture
def run(asked: Asked) -> Callable[..., Result]:
    del asked
    return lambda *arguments: CliRunner().invoke(app, list(arguments), catch_exceptions=True)


def test_conversations_are_listed_read_and_erased(run: Callable[..., Result], asked: Asked) -> None:
    assert run("conversations").output == "talk  1970-01-01 00:01\n"
    assert run("conversations", "talk").output == "> Who?\nAnn.\n\n"
    assert run("conversations", "talk", "--erase").output == "erased talk\n"
    assert asked == ["GET /v1/conversations", "GET /v1/conversations/talk", "DELETE /v1/conversations/talk"]


def test_a_summary_says_what_it_tells_and_what_it_cost(run: Callable[..., Result]) -> None:
    assert run("conversations", "long").output == (
        "> Who?\nAnn.\n\n"
        "summary of 8 turns, 1970-01-01 00:00 to 1970-01-02 00:00, by small, $0.001234 in all:\nAnn is the one.\n\n"
    )
    assert '"turns":8' in run("conversations", "long", "--json").output


def test_facts_are_listed_and_forgotten(run: Callable[..., Result], asked: Asked) -> None:
    assert run("facts").output == "fact_1  1970-01-02 00:00  Ann likes ed.\n"
    assert run("facts", "--erase", "fact_1").output == "nothing is remembered\n"
    assert asked == ["GET /v1/facts", "DELETE /v1/facts/fact_1", "GET /v1/facts"]


def test_what_is_remembered_steers_no_terminal(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TURN, "answer", "Ann.\x1b[2J\x1b]52;c;cHduZWQ=\x07")
    monkeypatch.setitem(FACT, "text", "Ann\x1b]0;owned\x07 likes ed.")

    assert "\x1b" not in run("conversations", "talk").output + run("facts").output


def test_both_are_told_as_json(run: Callable[..., Result]) -> None:
    assert '"id":"talk"' in run("conversations", "--json").output
    assert '"answer":"Ann."' in run("conversations", "talk", "--json").output
    assert '"text":"Ann likes ed."' in run("facts", "--json").output


def test_a_conversation_that_is_not_there_is_said_to_be_absent(run: Callable[..., Result]) -> None:
    for arguments in (["conversations", "none"], ["conversations", "none", "--erase"]):
        answer = run(*arguments)
        assert isinstance(answer.exception, ApiError)
        assert "no conversation none" in str(answer.exception)


def test_erasing_needs_a_name(run: Callable[..., Result], asked: Asked) -> None:
    assert isinstance(run("conversations", "--erase").exception, UsageError)
    assert asked == []
