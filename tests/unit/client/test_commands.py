"""What the command line prints and with which exit code it ends."""

import io
import json
import sys
from dataclasses import replace

import pytest
from msgspec import structs
from rich.console import Console
from typer.testing import CliRunner, Result

from client.answers import AnswerSoFar
from client.commands import app, reported
from client.commands.asking import as_json, filter_of, show
from client.commands.stack import context
from client.errors import ApiError, ClientError, NotReachableError, UsageError
from client.following import FollowedRun
from local.processes import PortBusyError
from plinth.contracts.events import RunEnded, StepEnded
from plinth.contracts.runs import Citation, Receipt, RunStatus

COMMANDS = (
    "up",
    "down",
    "status",
    "deploy",
    "ingest",
    "documents",
    "erase",
    "ask",
    "models",
    "trace",
    "logs",
    "tenants",
)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    assert run(command, "--help").exit_code == 0


def test_values_of_one_name_are_alternatives_and_what_is_no_name_and_value_is_refused() -> None:
    assert filter_of(["year=2025", "year=2026", "a=b=c"]) == {"metadata": {"year": ["2025", "2026"], "a": ["b=c"]}}
    assert filter_of(None) is None
    with pytest.raises(UsageError, match="NAME=VALUE"):
        filter_of(["year"])


def test_an_unknown_option_is_a_usage_error() -> None:
    assert run("ask", "why?", "--modell", "x").exit_code == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ClientError("run failed"), 1),
        (UsageError("wrong file"), 2),
        (NotReachableError("not running"), 3),
        (PortBusyError("busy"), 3),
        (ApiError("no key", status=401, code="unauthenticated"), 4),
        (PermissionError(13, "Permission denied", "stack.json"), 2),
        (NotADirectoryError(20, "Not a directory", "/etc/hosts/run"), 2),
    ],
)
def test_an_expected_error_is_one_sentence_and_an_exit_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> int:
        raise error

    assert reported(fail) == code
    assert capsys.readouterr().err == f"plinth: {error}\n"


def test_debug_shows_where_an_error_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["plinth", "--debug", "ask"])

    def fail() -> int:
        raise UsageError("wrong")

    with pytest.raises(UsageError):
        reported(fail)


def test_text_that_can_not_be_sent_is_told_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert reported(lambda: len("caf\udce9".encode())) == 2
    assert "surrogates not allowed" in capsys.readouterr().err


def test_the_sandbox_of_nobody_is_refused() -> None:
    answer = run("documents", "--env", "sandbox")

    assert isinstance(answer.exception, UsageError)
    assert "sandbox-ann" in str(answer.exception)


def test_a_home_without_a_stack_names_the_command_that_makes_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("PLINTH_HOME", str(tmp_path))

    assert isinstance(run("documents").exception, NotReachableError)
    assert "plinth up" in str(run("documents").exception)


def followed(status: RunStatus) -> FollowedRun:
    ended = RunEnded(status=status, reason=None if status is RunStatus.DONE else "model_unavailable")
    citation = Citation(marker=1, document_id="d", name="n", title="t", text="x", page=2)
    answer = AnswerSoFar(
        text="Yes [1].",
        citations=(citation,),
        steps=(StepEnded(step="ClaimRun", started_at=1.0, duration_ms=2.0),),
        receipt=Receipt(model_calls=(), model_cost_micro_usd=7),
        ended=ended,
    )
    return FollowedRun(run_id="run_1", answer=answer, first_text_seconds=0.5, total_seconds=1.0)


def test_json_is_one_object_with_everything_about_the_run() -> None:
    content = json.loads(as_json(followed(RunStatus.DONE)))

    assert content["answer"] == "Yes [1]."
    assert content["citations"][0]["page"] == 2
    (step,) = content["steps"]
    assert (step["step"], step["started_at"], step["duration_ms"], step["outcome"]) == ("ClaimRun", 1.0, 2.0, "ok")
    assert content["receipt"]["model_cost_micro_usd"] == 7
    assert content["timings"] == {"first_text_seconds": 0.5, "total_seconds": 1.0}
    assert (content["run_id"], content["status"], content["failure"]) == ("run_1", "done", None)


def test_json_of_a_failed_run_says_why() -> None:
    assert json.loads(as_json(followed(RunStatus.FAILED)))["failure"]["reason"] == "model_unavailable"


def shown(run: FollowedRun) -> str:
    screen = io.StringIO()
    show(run, Console(file=screen, width=100), streamed=False)
    return screen.getvalue()


def test_an_answer_without_citations_is_shown_as_one_with_them_but_for_their_lines() -> None:
    cited = followed(RunStatus.DONE)
    uncited = replace(cited, answer=replace(cited.answer, citations=()))

    assert "\n[1] t (page 2) - n\n" in shown(cited)
    assert shown(uncited) == shown(cited).replace("\n[1] t (page 2) - n\n", "")


def test_a_step_that_failed_is_shown_with_its_error() -> None:
    run = followed(RunStatus.FAILED)
    failed = structs.replace(run.answer.steps[0], outcome="MemoryUnavailableError")

    assert "ClaimRun (MemoryUnavailableError)" in shown(replace(run, answer=replace(run.answer, steps=(failed,))))


def test_a_sandbox_is_deployed_for_its_owner() -> None:
    assert context("dev") == ["-c", "env=dev"]
    assert context("sandbox-ada") == ["-c", "env=sandbox", "-c", "owner=ada"]
