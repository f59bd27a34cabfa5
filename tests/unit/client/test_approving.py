"""`plinth approve` and `plinth ask`: a person sees the call before it is decided, and decides about what was seen."""

import json

import httpx
import pytest
import typer
from typer.testing import CliRunner, Result

from client import following
from client.api import PlinthApi, Question
from client.commands import app
from client.commands.approving import ask_person
from plinth.contracts.events import ApprovalNeeded

ARGUMENTS = '{\n "fact": "Ann drinks tea.\\u001b[2J"\n}'
APPROVAL = {
    "call": "2-1",
    "tool": "remember",
    "arguments": ARGUMENTS,
    "arguments_sha256": "a" * 64,
    "expires_at": 1.8e9,
}
NEEDED = ApprovalNeeded(call="2-1", tool="remember", arguments=ARGUMENTS, arguments_sha256="a" * 64, expires_at=1.8e9)
Sent = list[tuple[str, object]]


def api_over(sent: Sent, *, status: int = 200) -> PlinthApi:
    def handler(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        sent.append((f"{request.method} {request.url.path}", body))
        if request.method == "GET":
            return httpx.Response(200, json={"id": "run_1", "status": "awaiting_approval", "approvals": [APPROVAL]})
        if status != 200:
            return httpx.Response(status, json={"detail": "the time to decide is over", "code": "approval_expired"})
        assert isinstance(body, dict)
        return httpx.Response(200, json={**APPROVAL, "decision": body["decision"], "user": "ann"})

    return PlinthApi("http://127.0.0.1:1", key="pl_local_x", transport=httpx.MockTransport(handler))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Let the commands talk to an API that has a run which waits; return what it was sent."""
    made: Sent = []

    class Environment:
        def api(self) -> PlinthApi:
            return api_over(made)

    monkeypatch.setattr("client.commands.approving.environment_named", lambda _: Environment())
    return made


def run(*arguments: str, says: str = "") -> Result:
    return CliRunner().invoke(app, ["approve", "run_1", *arguments], input=says)


DECIDED = "POST /v1/runs/run_1/approvals/2-1"


@pytest.mark.parametrize(
    ("arguments", "says", "word"), [((), "y\n", "approve"), (("--yes",), "", "approve"), (("--deny",), "", "deny")]
)
def test_the_call_is_shown_and_decided_by_the_hash_of_what_was_shown(
    sent: Sent, arguments: tuple[str, ...], says: str, word: str
) -> None:
    told = run("2-1", *arguments, says=says)

    assert told.exit_code == 0
    assert "remember" in told.stdout
    assert '"fact": "Ann drinks tea.' in told.stdout
    assert "\x1b" not in told.stdout
    assert sent[-1] == (DECIDED, {"decision": word, "arguments_sha256": "a" * 64})
    assert f"2-1 is decided: {word}, by ann" in told.stdout


@pytest.mark.parametrize("says", ["n\n", ""])
def test_whoever_does_not_say_yes_decides_nothing(sent: Sent, says: str) -> None:
    assert run("2-1", says=says).exit_code == 1
    assert [path for path, _ in sent] == ["GET /v1/runs/run_1"]


def test_a_call_that_nobody_was_asked_about_is_refused_with_those_that_are(sent: Sent) -> None:
    told = run("9-9")

    assert "it asked about 2-1" in str(told.exception)
    assert len(sent) == 1


def test_who_asks_without_a_terminal_is_told_how_to_decide(capsys: pytest.CaptureFixture[str]) -> None:
    sent: Sent = []

    ask_person(api_over(sent), "run_1", NEEDED, env="prod", interactive=True)

    told = capsys.readouterr().err
    assert "plinth approve run_1 2-1 --env prod" in told
    assert "Ann drinks tea." in told
    assert sent == []


@pytest.mark.parametrize(("yes", "word"), [(True, "approve"), (False, "deny")])
def test_who_asks_at_a_terminal_decides_there(monkeypatch: pytest.MonkeyPatch, *, yes: bool, word: str) -> None:
    sent: Sent = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: yes)

    ask_person(api_over(sent), "run_1", NEEDED, env="local", interactive=True)

    assert sent == [(DECIDED, {"decision": word, "arguments_sha256": "a" * 64})]


def test_an_interrupt_at_the_question_is_one_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> bool:
        raise typer.Abort

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", interrupted)

    with pytest.raises(KeyboardInterrupt):
        ask_person(api_over([]), "run_1", NEEDED, env="local", interactive=True)


def test_a_decision_that_comes_too_late_is_told_and_the_answer_is_still_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: True)

    ask_person(api_over([], status=410), "run_1", NEEDED, env="local", interactive=True)

    assert "the time to decide is over" in capsys.readouterr().err


def test_who_follows_a_run_is_handed_what_must_be_decided() -> None:
    events = [
        {"type": "approval.needed", **APPROVAL},
        {"type": "run.ended", "status": "done"},
    ]
    lines = "".join(
        f"id: {seq}\ndata: {json.dumps({'seq': seq, 'epoch': 1, 'at': 1.0, 'event': event})}\n\n"
        for seq, event in enumerate(events, start=1)
    )

    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(202, json={"id": "run_1", "status": "accepted"})
        return httpx.Response(200, text=lines)

    asked: list[tuple[str, str]] = []
    with PlinthApi("http://127.0.0.1:1", key="pl_local_x", transport=httpx.MockTransport(handler)) as api:
        ended = following.ask(
            api,
            Question(question="why?"),
            hear=lambda _: None,
            decide=lambda run_id, event: asked.append((run_id, event.call)),
        )

    assert asked == [("run_1", "2-1")]
    assert ended.is_done
