"""Older turns on the deployed stack: summed up after the answer, told to the next question, gone with a document."""

import time
from collections.abc import Callable
from uuid import uuid4

import pytest

from client.api import Question
from client.records import Run as RunView
from plinth.adapters.dynamo_conversations import DynamoConversations
from plinth.adapters.dynamo_rows import Rows
from plinth.adapters.dynamodb_table import Table
from plinth.adapters.system_clock import SystemClock
from plinth.chain.summarizing import AT_ONCE
from plinth.contracts.events import LoggedEvent, ReceiptMade, RunEnded
from plinth.contracts.runs import Run, Turn
from plinth.contracts.tenant import Tenant
from plinth.money.prices import cost_micro_usd, price_of
from tests.fakes.providers import ProviderServer
from tests.fakes.providers.scripts import OK_TEXT
from tests.integration.conftest import Deployed
from tests.integration.uploads import ingest

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_b, pytest.mark.guarantee_d]
WINDOW = 10
PATIENCE_SECONDS = 60
TENANT, USER, MODEL = "mindful", "mina", "claude-haiku-5-5"


def talk(deployed: Deployed, *, marked: str, document: str) -> None:
    """Put turns into the conversation; the first asks for a script of its own, and rests on the document."""
    dynamodb, name = deployed.aws("dynamodb"), deployed.info.outputs["ConversationsTable"]
    table, rows = Table(client=dynamodb, name=name), Rows(client=dynamodb, name=name)
    conversations = DynamoConversations(table=table, rows=rows, clock=SystemClock())
    for number in range(WINDOW + AT_ONCE):
        run = Run(id=f"run_{number:026d}", tenant=Tenant(id=TENANT), epoch=1, deadline=time.time() + 270)
        asked = f"Question {number}? {marked if number == 0 else ''}"
        documents = (document,) if number == 0 else ()
        turn = Turn(question=asked, answer=f"Answer {number}.", at=time.time(), documents=documents)
        conversations.append(run, USER, "talk", turn)


def asked(deployed: Deployed, token: str) -> tuple[RunView, list[LoggedEvent]]:
    question = Question(question=f"And now? [[script:ok:{token}]]", model=MODEL, conversation_id="talk")
    with deployed.api(TENANT) as api:
        run = api.create_run(question)
        logged = list(api.events(run.id))
        return api.get_run(run.id), logged


def until(there: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not there():
        assert time.monotonic() < deadline, "nothing came of it in time"
        time.sleep(0.3)


def test_older_turns_are_summed_up_after_the_answer_and_forgotten_with_their_document(
    deployed: Deployed, provider: ProviderServer
) -> None:
    summing, token, later = uuid4().hex, uuid4().hex, uuid4().hex
    document = ingest(deployed, "mindful.md", b"# Hours\n\nThe warehouse opens at nine.\n", tenant=TENANT)
    talk(deployed, marked=f"[[script:ok:{summing}]]", document=document.document_id)
    with deployed.api(TENANT) as api:
        run, logged = asked(deployed, token)
        assert isinstance(logged[-1].event, RunEnded)
        until(lambda: api.conversation("talk").summary)
        summary = api.conversation("talk").summary
        assert summary is not None
        assert (summary.text, summary.turns, summary.by) == ("".join(OK_TEXT), AT_ONCE, run.id)
        assert document.document_id in summary.documents

        # the answer had its time to itself, and the books agree about both calls
        (answering,) = (call for call in provider.books.calls if call.token == token)
        (summed_up,) = (call for call in provider.books.calls if call.token == summing)
        assert answering.at < summed_up.at
        assert logged[-1].at < summed_up.at
        (told,) = (each.event.receipt for each in logged if isinstance(each.event, ReceiptMade))
        assert [call.step for call in told.model_calls] == ["CallModel"]
        receipt = api.get_run(run.id).receipt
        assert receipt is not None
        assert [call.step for call in receipt.model_calls] == ["CallModel", "SummarizeTurns"]
        bills = [*provider.books.bills(token), *provider.books.bills(summing)]
        billed = sum(cost_micro_usd(price_of(model), usage) for model, usage in bills)
        assert receipt.model_cost_micro_usd == api.usage(by="user").total.model_cost_micro_usd == billed

        # the next question is told the summary, and the turns of it no other way
        asked(deployed, later)
        (next_one,) = (call for call in provider.books.calls if call.token == later)
        assert f"Earlier in this conversation:\n{summary.text}" in str(next_one.body["system"]).replace("\\n", "\n")
        assert "Question 3?" not in str(next_one.body)
        assert "Question 5?" in str(next_one.body)

        api.delete_document(document.document_id)
        until(lambda: not summaries(deployed))
        assert api.conversation("talk").summary is None
        api.erase_conversation("talk")
        assert "talk" not in [each.id for each in api.conversations()]


def summaries(deployed: Deployed) -> list[str]:
    items = deployed.items("Conversations")
    return [item["sk"]["S"] for item in items if item["pk"]["S"].startswith(f"{TENANT}#") and "SUMMARY" in str(item)]
