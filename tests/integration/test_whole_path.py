"""One document and one question, followed through every store of a deployed stack."""

import pytest

from client.api import Question
from client.records import Run
from local.supervision import wait_until
from plinth.contracts.events import CitationFound, ReceiptMade, RunAccepted, RunEnded, StepEnded, TextDelta
from tests.integration.conftest import Deployed
from tests.integration.uploads import ingest, passages

pytestmark = pytest.mark.integration
STEPS = {
    "ClaimRun",
    "RetrieveContext",
    "RecallConversation",
    "LookUpAnswer",
    "BuildPrompt",
    "CallModel",
    "ParseReply",
    "SaveAnswer",
}
FOLLOWED, TASTING = "followed", "tasting"
"""Tenants of their own: what others ingest would be retrieved with it."""
TEXT = b"# Purging\n\n## Debian\n\nThe command zorkpurge removes a package together with its configuration files.\n"


def test_a_document_and_a_question_pass_through_every_store(deployed: Deployed) -> None:
    document = ingest(deployed, "guide/purging.md", TEXT, tenant=FOLLOWED)
    assert (document.title, document.passages) == ("Purging", 1)

    # the passage lies in the search engine under the live generation, and its row says so
    (stored,) = passages(deployed, document.document_id)
    assert (stored["tenant"], stored["generation"]) == (FOLLOWED, document.generation)
    assert (stored["heading"], stored["above"]) == ("Debian", "Purging > Debian")
    assert stored["text"] == TEXT.decode()[stored["start"] : stored["end"]]
    assert document.tokens == stored["tokens"]
    row = next(item for item in deployed.items("Documents") if item["sk"]["S"] == f"DOCUMENT#{document.document_id}")
    assert row["state"]["S"] == "ready"
    corpus = next(item for item in deployed.items("Documents") if item["sk"]["S"] == "CORPUS" and FOLLOWED in str(item))
    assert int(corpus["version"]["N"]) >= 1

    with deployed.api(FOLLOWED) as api:
        run = api.create_run(Question(question="What does zorkpurge remove?", conversation_id="talk"))
        logged = list(api.events(run.id))
        ended = api.get_run(run.id)

    # the log is gapless, fenced by one epoch, and holds every kind of event in order
    events = [entry.event for entry in logged]
    assert [entry.seq for entry in logged] == list(range(1, len(logged) + 1))
    assert isinstance(events[0], RunAccepted)
    assert isinstance(events[-1], RunEnded)
    assert {event.step for event in events if isinstance(event, StepEnded)} == STEPS | {"Api"}
    with deployed.http(FOLLOWED) as http:
        trace = http.get(f"/v1/runs/{run.id}/trace").json()
    assert {step["step"] for step in trace["steps"]} == STEPS | {"Api"}
    assert all(step["memory_mb"] > 0 for step in trace["steps"])
    assert trace["work_ms"] > 0
    assert any(isinstance(event, ReceiptMade) for event in events)
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert ended.status == "done"
    assert ended.answer is not None
    assert text.strip() == ended.answer.text
    cited = [event.citation.document_id for event in events if isinstance(event, CitationFound)]
    assert set(cited) <= {document.document_id}

    # the run's rows, its conversation's turn and its cached answer are there
    rows = {item["sk"]["S"] for item in deployed.items("Runs") if item["pk"]["S"] == f"{FOLLOWED}#{run.id}"}
    assert {"RUN", "CONTENT#passages", "CONTENT#prompt", "CONTENT#reply", "CONTENT#answer"} <= rows
    turns = [item for item in deployed.items("Conversations") if item["pk"]["S"] == f"{FOLLOWED}#flo#talk"]
    assert len(turns) == 1
    if ended.answer.stop_reason == "end":
        assert any(item["pk"]["S"].startswith(f"{FOLLOWED}#") for item in deployed.items("Answers"))

    # no store of content but those holds the question: executions carry references only
    sfn = deployed.aws("stepfunctions")
    executions = sfn.list_executions(stateMachineArn=deployed.info.outputs["IngestMachineArn"])["executions"]
    histories = [sfn.get_execution_history(executionArn=each["executionArn"])["events"] for each in executions]
    assert histories
    assert "zorkpurge" not in str(histories)
    for step in STEPS:
        lines = deployed.log_lines(step)
        assert lines
        assert "zorkpurge" not in str(lines)


def test_the_same_question_is_answered_again_from_the_cache(deployed: Deployed) -> None:
    ingest(deployed, "guide/flavours.md", b"# Flavours\n\nThe flavour of quux is vanilla.\n", tenant=TASTING)
    with deployed.api(TASTING) as api:
        first = _ended(deployed, "Which flavour has quux?")
        assert first.answer is not None
        if first.answer.stop_reason != "end":
            pytest.fail(f"the small model did not end by itself: {first.answer}")
        again = api.create_run(Question(question="  Which flavour  has quux? "), wait_seconds=20)
        logged = [each.event for each in api.events(again.id)]

    assert [event.step for event in logged if isinstance(event, StepEnded)] == ["Api"]  # no machine was started
    assert again.status == "done"
    assert again.answer is not None
    assert again.answer.text == first.answer.text
    assert again.receipt is not None
    assert again.receipt.cached


def test_a_new_version_replaces_the_old_one_in_every_store(deployed: Deployed) -> None:
    old = ingest(deployed, "notes/version.txt", b"The colour is red.")
    ingest(deployed, "notes/version.txt", b"The colour is green now.")

    def texts() -> list[str]:
        return [each["text"] for each in passages(deployed, old.document_id)]

    assert wait_until(lambda: texts() == ["The colour is green now."], timeout_seconds=60), texts()


def _ended(deployed: Deployed, question: str) -> Run:
    with deployed.api(TASTING) as api:
        run = api.create_run(Question(question=question))
        for _ in api.events(run.id):
            pass
        return api.get_run(run.id)
