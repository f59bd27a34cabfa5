"""A run's id alone finds everything that is known of it: API log line, execution, step logs, receipt, contents."""

import json
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from client.api import Question
from client.commands import app
from client.records import Run
from local.supervision import wait_until
from plinth.contracts.runs import RunStatus
from tests.integration.conftest import Deployed
from tests.integration.test_whole_path import STEPS
from tests.integration.uploads import ingest

pytestmark = pytest.mark.integration


@pytest.fixture
def run(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("PLINTH_HOME", str(deployed.home))
    monkeypatch.setenv("PLINTH_API_KEY", deployed.keys["acme"])
    ingest(deployed, "guide/one-id.md", b"# Zork\n\nThe zork of Ada (ada@mail.example) is blue.\n")
    with deployed.api() as api:
        asked = f"{uuid4().hex}: Which zork is blue, says ada@mail.example?"  # never before, so that no cache has it
        made = api.create_run(Question(question=asked))
        for _ in api.events(made.id):
            pass
        ended = api.get_run(made.id)
    # the last step is logged after its run has ended
    assert wait_until(lambda: '"service":"SaveAnswer"' in printed("logs", "--run", made.id), timeout_seconds=10)
    return ended


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def test_the_id_finds_the_api_line_the_execution_the_step_logs_and_the_receipt(run: Run) -> None:
    lines = [json.loads(line[9:]) for line in printed("logs", "--run", run.id).splitlines() if "{" in line]
    shown = printed("trace", run.id, "--logs")

    assert {line["run_id"] for line in lines} == {run.id}
    assert {line["service"] for line in lines} == STEPS | {"api"}
    assert any(line["service"] == "api" and line["route"] == "/v1/runs" for line in lines)
    assert "execution arn:aws:states:" in shown
    assert "models: $" in shown
    assert shown.count('"message":"step ended"') >= len(STEPS)  # an execution that lost its claim logs a line too


def test_the_query_for_aws_names_the_run_and_every_log_group(run: Run) -> None:
    query = printed("logs", "--run", run.id, "--query")

    assert f'filter run_id = "{run.id}"' in query
    assert all(step in query for step in STEPS)


def test_the_trace_tells_prompt_version_model_and_tokens_and_holds_no_content(deployed: Deployed, run: Run) -> None:
    with deployed.api() as api:
        trace = api.trace(run.id)
    exported = printed("trace", run.id, "--otel")

    told = {step.step: step.details for step in trace.steps}
    assert trace.status is RunStatus.DONE
    assert told["BuildPrompt"]["prompt_version"]
    assert told["CallModel"]["model"] == "plinth-local"
    assert int(told["CallModel"]["input_tokens"]) + int(told["CallModel"].get("cached_input_tokens", 0)) > 0
    assert [execution.epoch for execution in trace.executions] == [1]
    assert ":execution:plinth-local-answer-" in trace.executions[0].execution
    assert json.loads(exported)["resourceSpans"]
    assert "zork" not in exported
    assert "zork" not in str(trace)


def test_contents_are_read_back_masked_and_are_in_no_log(run: Run) -> None:
    shown = printed("trace", run.id, "--contents")
    logged = printed("logs", "--run", run.id)

    assert "Which zork is blue, says [email]?" in shown
    assert '"passages"' in shown
    assert "ada@" not in shown
    assert "zork" not in logged
