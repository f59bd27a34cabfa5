"""The steps of the answer machine, one after the other, over fakes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.build_prompt.handler import build_prompt
from functions.call_model.handler import call_model
from functions.claim_run.handler import claim_run
from functions.fail_run.handler import fail_run
from functions.look_up_answer.handler import look_up_answer
from functions.parse_reply.handler import parse_reply
from functions.recall_conversation.handler import recall_conversation
from functions.retrieve_context.handler import retrieve_context
from functions.save_answer.handler import save_answer
from plinth.contracts.events import ReceiptMade, RunEnded, StepEnded, TextDelta
from plinth.contracts.memory import Content, DocumentVersion, Labels, Passage
from plinth.contracts.models import ModelEnd, StopReason
from plinth.contracts.runs import Receipt, Run, RunStatus
from plinth.errors import (
    ModelCancelledError,
    ModelStreamCutError,
    RunSupersededError,
)
from tests.fakes.costs import model_cost
from tests.fakes.models import FakeEmbedder, FakeModel, whole
from tests.unit.steps.conftest import TENANT, ChainServices

Call = Callable[..., dict[str, Any]]
Accept = Callable[..., Run]
COST = model_cost(cost_micro_usd=7, bound_micro_usd=7, outcome="model_silent", estimated=True)
STEP = StepEnded(step="BuildPrompt", started_at=1.0, duration_ms=2.0)


def remember_document(services: ChainServices, text: str, *, publish: bool = True) -> DocumentVersion:
    document = DocumentVersion(
        tenant=TENANT,
        document_id="doc_apt",
        name="apt.md",
        object_key="acme/apt.md",
        version_id="v1",
        sequence="0001",
        size_bytes=len(text),
        attempt=1,
    )
    services.documents.begin(document, execution="one")
    (vector,) = services.embedder.embed([text])
    services.memory.index(document, "About apt", [(Passage(position=0, text=text, heading="Purging"), vector)])
    if publish:
        services.documents.publish(document, Content(title="About apt", passages=1))
    return document


def answer(services: ChainServices, call: Call, run: Run) -> dict[str, Any]:
    """Walk the machine's states in order, as far as the first answer."""
    assert call(claim_run, run=run, owner="execution-1")["claimed"]
    context = call(retrieve_context, run=run)
    recalled = call(recall_conversation, run=run)
    looked_up = call(
        look_up_answer, run=run, corpus_version=context["corpus_version"], conversation_digest=recalled["digest"]
    )
    if looked_up["found"]:
        told = {name: looked_up[name] for name in ("saved_micro_usd", "match", "saved_at")}
        return call(save_answer, run=run, cached=True, cache_key=None, **told, steps=[])
    call(build_prompt, run=run, turns=recalled["turns"])
    called = call(call_model, run=run, attempt=1, steps=[STEP])
    assert called["outcome"] == "complete"
    parsed = call(parse_reply, run=run)
    cache_key = looked_up["cache_key"] if parsed["cacheable"] else None
    kept = {"cache_key": cache_key, "near_key": looked_up["near_key"]}
    return call(save_answer, run=run, cached=False, **kept, calls=called["calls"], steps=[])


def test_a_question_is_answered_from_a_published_passage_that_the_answer_cites(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    remember_document(services, "apt purge removes the configuration files too")
    services.model = FakeModel((["Use apt ", "purge [1]."], whole()))
    run = accept("how do I remove configuration files")

    answer(services, call, run)

    record = services.runs.get(TENANT, run.id)
    assert record.status is RunStatus.DONE
    assert record.answer is not None
    assert record.answer.text == "Use apt purge [1]."
    assert [(citation.marker, citation.heading) for citation in record.answer.citations] == [(1, "Purging")]
    assert "apt purge removes" in services.model.requests[0].prompt.system


def test_the_receipt_names_the_price_and_the_bound_known_before_the_call(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    services.model = FakeModel((["Yes."], whole()))
    run = accept("is it")

    answer(services, call, run)

    receipt = services.runs.get(TENANT, run.id).receipt
    assert receipt is not None
    (cost,) = receipt.model_calls
    assert receipt.model_cost_micro_usd == cost.cost_micro_usd == 20  # 100 x $0.10 + 20 x $0.50 per million tokens
    assert cost.cost_micro_usd <= cost.bound_micro_usd
    assert cost.price_as_of == "2026-11-01"


def test_a_passage_of_an_unpublished_version_is_never_retrieved(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    remember_document(services, "apt purge removes the configuration files too", publish=False)
    run = accept("apt purge")

    assert call(retrieve_context, run=run)["passages"] == 0


def test_a_second_execution_of_a_run_does_not_get_it(services: ChainServices, call: Call, accept: Accept) -> None:
    run = accept("which one")

    first = call(claim_run, run=run, owner="execution-1")
    again = call(claim_run, run=run, owner="execution-1")
    second = call(claim_run, run=run, owner="execution-2")

    assert [each["claimed"] for each in (first, again, second)] == [True, True, False]


def test_the_same_question_again_is_answered_from_the_cache_and_says_what_it_saved(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    services.model = FakeModel((["Yes."], whole()))
    answer(services, call, accept("Is it?", run_id="run_1"))

    answer(services, call, accept("  Is   it? ", run_id="run_2"))

    receipt = services.runs.get(TENANT, "run_2").receipt
    assert receipt is not None
    assert (receipt.cached, receipt.model_cost_micro_usd, receipt.saved_micro_usd) == (True, 0, 20)
    texts = [
        entry.event.text
        for entry in services.run_log.read(TENANT, "run_2", after=0)
        if isinstance(entry.event, TextDelta)
    ]
    assert texts == ["Yes."]


def test_a_changed_corpus_makes_cached_answers_stale(services: ChainServices, call: Call, accept: Accept) -> None:
    services.model = FakeModel((["Yes."], whole()), (["No."], whole()))
    answer(services, call, accept("Is it?", run_id="run_1"))
    remember_document(services, "it is not")

    answer(services, call, accept("Is it?", run_id="run_2"))

    record = services.runs.get(TENANT, "run_2")
    assert record.answer is not None
    assert record.answer.text == "No."


@pytest.mark.parametrize("stop_reason", [StopReason.MAX_TOKENS, StopReason.REFUSAL, StopReason.CONTENT_FILTER])
def test_an_answer_that_did_not_end_by_itself_is_never_cached(
    services: ChainServices, call: Call, accept: Accept, stop_reason: StopReason
) -> None:
    services.model = FakeModel((["Yes, and"], whole(stop_reason)), (["Yes."], whole()))
    answer(services, call, accept("Is it?", run_id="run_1"))

    answer(services, call, accept("Is it?", run_id="run_2"))

    assert len(services.model.requests) == 2


def test_a_follow_up_is_given_the_earlier_turns_of_its_conversation(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    services.model = FakeModel((["It is apt."], whole()), (["Since 1998."], whole()))
    answer(services, call, accept("What is it?", run_id="run_1", conversation_id="talk"))

    answer(services, call, accept("Since when?", run_id="run_2", conversation_id="talk"))

    said = [message.text for message in services.model.requests[1].prompt.messages]
    assert said[:2] == ["What is it?", "It is apt."]
    assert said[2].startswith("Since when?")


def test_saving_twice_ends_the_log_once(services: ChainServices, call: Call, accept: Accept) -> None:
    services.model = FakeModel((["Yes."], whole()))
    run = accept("Is it?")
    answer(services, call, run)

    with pytest.raises(RunSupersededError):
        call(save_answer, run=run, cached=False, cache_key=None, steps=[])

    ends = [entry for entry in services.run_log.read(TENANT, run.id, after=0) if isinstance(entry.event, RunEnded)]
    assert len(ends) == 1


def test_a_run_that_is_cancelled_after_its_last_call_ends_as_cancelled_and_its_answer_is_not_kept(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    services.model = FakeModel((["Yes."], whole()))
    run = accept("Is it?", conversation_id="c1")
    looked_up = call(look_up_answer, run=run, corpus_version=0, conversation_digest="")
    call(retrieve_context, run=run)
    call(build_prompt, run=run)
    calls = call(call_model, run=run, attempt=1, steps=[])["calls"]
    call(parse_reply, run=run)
    services.runs.cancel(TENANT, run.id)

    with pytest.raises(ModelCancelledError) as met:
        call(save_answer, run=run, cached=False, cache_key=looked_up["cache_key"], calls=calls, steps=[])
    call(fail_run, run=run, owner="execution-1", error=met.type.__name__, calls=calls, steps=[])

    record = services.runs.get(TENANT, run.id)
    assert record.status is RunStatus.CANCELLED
    assert record.receipt is not None
    assert [(each.outcome, each.cost_micro_usd > 0) for each in record.receipt.model_calls] == [("complete", True)]
    assert services.answers.get(TENANT, looked_up["cache_key"]) is None
    assert services.conversations.recent(TENANT, "ann", "c1", limit=1) == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("States.Timeout", "timed_out"),
        ("StoreUnavailableError", "unavailable"),
        ("Sandbox.Timedout", "timed_out"),
        ("Runtime.ExitError", "function_lost"),
        (ModelStreamCutError.__name__, "model_stream_cut"),
        ("KeyError", "internal"),
    ],
)
def test_a_failed_run_says_why_without_the_cause(
    services: ChainServices, call: Call, accept: Accept, error: str, reason: str
) -> None:
    run = accept("Is it?")

    call(fail_run, run=run, owner="execution-1", error=error, calls=[COST], steps=[STEP])

    record = services.runs.get(TENANT, run.id)
    assert record.status is RunStatus.FAILED
    assert record.failure is not None
    assert record.failure.reason == reason
    earlier, own, receipt, ended = [entry.event for entry in services.run_log.read(TENANT, run.id, after=1)]
    assert earlier == STEP
    assert isinstance(own, StepEnded)
    assert own.step == "FailRun"
    assert isinstance(receipt, ReceiptMade)
    assert replace(receipt.receipt, platform=None) == Receipt(model_calls=(COST,), model_cost_micro_usd=7)
    assert receipt.receipt.platform is not None
    assert set(receipt.receipt.platform.steps) == {"FailRun", "workflow"}
    assert ended == RunEnded(status=RunStatus.FAILED, reason=reason, message=record.failure.message)


def test_the_step_that_ends_a_run_logs_itself_before_the_receipt(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    services.model = FakeModel((["Yes."], whole()))
    run = accept("Is it?")

    answer(services, call, run)

    *_, own, receipt, ended = [entry.event for entry in services.run_log.read(TENANT, run.id, after=1)]
    assert isinstance(own, StepEnded)
    assert (own.step, own.outcome) == ("SaveAnswer", "ok")
    assert own.duration_ms > 0
    assert isinstance(receipt, ReceiptMade)
    assert isinstance(ended, RunEnded)


def test_an_execution_that_lost_its_claim_cannot_fail_the_run_of_another(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    run = accept("Is it?")
    call(claim_run, run=run, owner="execution-1")

    with pytest.raises(RunSupersededError):
        call(fail_run, run=run, owner="execution-2", error="StoreUnavailableError", steps=[])

    assert services.runs.get(TENANT, run.id).status is RunStatus.RUNNING


def test_an_empty_answer_is_no_turn_of_its_conversation(services: ChainServices, call: Call, accept: Accept) -> None:
    services.model = FakeModel(([], whole(StopReason.REFUSAL)))

    answer(services, call, accept("Is it?", conversation_id="talk"))

    assert services.conversations.recent(TENANT, "ann", "talk", limit=5) == []


def test_the_end_of_a_stream_is_not_logged_before_it_is_whole(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    end: ModelEnd = whole()
    services.model = FakeModel((["Yes."], end))
    run = accept("Is it?")
    call(retrieve_context, run=run)
    call(build_prompt, run=run)

    call(call_model, run=run, attempt=1, steps=[STEP])

    events = [entry.event for entry in services.run_log.read(TENANT, run.id, after=1)]
    assert events == [STEP, TextDelta(text="Yes.", attempt=1, offset=0)]


@pytest.mark.guarantee_e
def test_a_caller_who_lost_a_label_finds_no_labelled_passage_and_is_not_reminded_of_one(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    document = remember_document(services, "the board meets on Monday", publish=False)
    (vector,) = FakeEmbedder().embed(["the board meets on Monday"])
    passage = Passage(position=0, text="the board meets on Monday")
    services.memory.index(document, "Board", [(passage, vector)], labels=Labels(access=("board",)))
    services.documents.publish(document, Content(title="Board", passages=1))
    services.model = FakeModel((["On Monday [1]."], whole()))
    answer(services, call, accept("when does the board meet", conversation_id="c", labels=("board",)))

    later = accept("when does the board meet", run_id="run_2", conversation_id="c")

    assert call(retrieve_context, run=later)["passages"] == 0
    assert call(recall_conversation, run=later)["turns"] == 0
    insider = accept("when does the board meet", run_id="run_3", conversation_id="c", labels=("board",))
    assert call(retrieve_context, run=insider)["passages"] == 1
    assert call(recall_conversation, run=insider)["turns"] == 1
