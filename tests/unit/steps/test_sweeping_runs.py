"""SweepRuns: a run that was not begun is begun, one that is worked on is waited for, a lost one ends with a reason."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from functions.sweep_runs import handler as sweep_runs
from functions.sweep_runs.handler import handler
from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.chain.executions import MAX_LOSSES
from plinth.contracts.access import Allowance, Allowances
from plinth.contracts.executions import Continuation, ResumeAt
from plinth.contracts.money import Reservation
from plinth.contracts.runs import Overdue, Run, RunRecord, RunStatus
from plinth.errors import RecordUnreadableError, StoreUnavailableError
from plinth.money.budgets import budgets_of
from plinth.money.prices import price_of
from plinth.runtime.started_calls import lost_calls, started_calls
from tests.fakes.ledger_rows import FakeLedgerRows
from tests.fakes.objects import FakeMachines
from tests.fakes.runs import FakeExecutions
from tests.unit.access.world import TIER
from tests.unit.steps.conftest import TENANT, ChainServices

PRICE = msgspec.json.encode(price_of("claude-haiku-5-5")).decode()

pytestmark = pytest.mark.guarantee_a

Accept = Callable[..., Run]


@pytest.fixture
def machines(services: ChainServices, monkeypatch: pytest.MonkeyPatch) -> FakeMachines:
    services.machines = made = FakeMachines()
    monkeypatch.setattr(sweep_runs, "_services", services)
    return made


def sweep(services: ChainServices, *, after: float) -> int:
    services.time.advance(after)
    return handler({}, None)["ended"]


def record(services: ChainServices, run: Run) -> RunRecord:
    """Return the row as it is stored: a read would tell a lost run as failed by itself."""
    return services.runs.rows[TENANT, run.id].record


def test_a_run_whose_machine_was_never_started_is_started_each_time_under_a_new_name(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    run = accept("Is it?")

    assert [sweep(services, after=seconds) for seconds in (29, 1, 10, 20)] == [0, 0, 0, 0]

    assert [each.id for each in machines.answers.values()] == [run.id]
    assert len(set(machines.again)) == len(machines.again) == 2


def test_a_run_that_is_begun_too_late_is_not_begun(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    accept("Is it?")

    assert sweep(services, after=211) == 0
    assert machines.answers == {}


def test_a_run_that_is_worked_on_is_left_alone_while_its_execution_renews_its_lease(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    run = accept("Is it?")
    services.executions.claim(run, owner="one")

    for _ in range(7):
        assert sweep(services, after=30) == 0
        services.executions.renew(run)

    assert machines.answers == {}
    assert record(services, run).status is RunStatus.RUNNING


def test_a_run_whose_execution_was_lost_is_resumed_by_the_next_one_where_it_had_come_to(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    first = accept("Is it?", seconds=900)
    services.executions.claim(first, owner="one")
    second = services.executions.hand_over(first, Continuation(turn=4, attempt=2, resume_at=ResumeAt.CALL_MODEL))
    services.executions.claim(second, owner="two")

    assert [sweep(services, after=seconds) for seconds in (60, 61)] == [0, 0]

    (third,) = machines.answers.values()
    assert third == replace(first, epoch=3, keep_until=third.keep_until)
    assert services.executions.claim(third, owner="three")
    went_on = services.executions.continuation(third)
    assert (went_on.turn, went_on.attempt, went_on.resume_at) == (4, 2, ResumeAt.CALL_MODEL)
    assert (went_on.losses, went_on.because) == (1, "lost")


def test_a_lost_run_that_was_not_handed_over_yet_is_begun_again(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    run = accept("Is it?")
    services.executions.claim(run, owner="one")

    assert [sweep(services, after=seconds) for seconds in (60, 61)] == [0, 0]

    assert [each.epoch for each in machines.answers.values()] == [2]
    assert services.executions.continuation(run).resume_at is ResumeAt.GATHER_CONTEXT


def test_a_run_that_was_handed_over_and_not_begun_is_begun(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    run = accept("Is it?", seconds=900)
    services.executions.claim(run, owner="one")
    services.executions.hand_over(run, Continuation(turn=2))

    assert sweep(services, after=31) == 0

    assert [each.epoch for each in machines.answers.values()] == [2]


def test_a_run_that_loses_every_execution_is_ended(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    run = accept("Is it?", seconds=1800)
    ended = 0
    for epoch in range(1, MAX_LOSSES + 2):
        services.executions.claim(replace(run, epoch=epoch), owner=f"execution-{epoch}")
        ended = sweep(services, after=31) or sweep(services, after=121)

    assert ended == 1
    assert len(machines.answers) == MAX_LOSSES
    assert record(services, run).failure is not None


def test_a_lost_run_without_time_for_another_execution_is_ended_before_its_deadline(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    run = accept("Is it?")
    services.executions.claim(run, owner="one")
    services.time.advance(100)
    services.executions.renew(run)

    assert [sweep(services, after=seconds) for seconds in (1, 121)] == [0, 1]

    assert machines.answers == {}
    ended = services.runs.get(TENANT, run.id)
    assert ended.status is RunStatus.FAILED
    assert ended.failure is not None
    assert ended.failure.reason == "timed_out"
    assert sweep(services, after=60) == 0


def test_a_lost_run_that_was_cancelled_ends_as_cancelled(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    run = accept("Is it?")
    services.executions.claim(run, owner="one")
    services.runs.cancel(TENANT, run.id)

    assert [sweep(services, after=seconds) for seconds in (60, 61)] == [0, 1]
    assert record(services, run).status is RunStatus.CANCELLED
    assert machines.answers == {}


def test_a_lost_run_gives_its_place_back_and_counts_as_failed(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    run = accept("Is it?")
    services.limits.admit(run, TIER, tokens=10)

    sweep(services, after=331)

    assert services.limits.running == {}
    (day,) = services.usage.days(TENANT, first="0000-01-01", last="9999-12-31")
    assert (day.amounts["runs"], day.amounts["failed_runs"]) == (1, 1)
    assert machines.answers == {}


@pytest.mark.guarantee_b
def test_a_lost_run_is_charged_on_its_receipt_what_its_budgets_were(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    services.ledger = ledger = LedgerOverRows(FakeLedgerRows(), clock=services.clock)
    allowed = Allowances(tenant=Allowance(day_micro_usd=1000), revision=1)
    run = accept("Is it?", budgets=allowed)
    budgets = budgets_of(TENANT, services.runs.get(TENANT, run.id).request)
    for attempt, amount in ((1, 100), (2, 200), (3, 300)):
        asked = Reservation(run=run, attempt=attempt, amount_micro_usd=amount, model="claude-haiku-5-5", price=PRICE)
        held = ledger.reserve(asked, budgets)
        if attempt < 3:  # the third was never started
            assert ledger.start(held)
        if attempt == 1:
            ledger.settle(held, cost_micro_usd=30)
    services.executions.claim(run, owner="one")

    assert sweep(services, after=331) == 1
    ledger.sweep(limit=10)

    receipt = services.runs.get(TENANT, run.id).receipt
    assert receipt is not None
    assert [(call.cost_micro_usd, call.outcome, call.estimated) for call in receipt.model_calls] == [
        (30, "complete", False),
        (200, "lost", True),
    ]
    (left,) = ledger.left(budgets)
    (day,) = services.usage.days(TENANT, first="0000-01-01", last="9999-12-31")
    assert left.day.spent_micro_usd == receipt.model_cost_micro_usd == day.amounts["model_cost_micro_usd"] == 230
    assert machines.answers == {}


class UnreachableMachines(FakeMachines):
    """Step Functions that answer nothing."""

    def start_answer(self, run: Run, *, again: int = 0, machine: str | None = None) -> None:
        raise StoreUnavailableError("throttled")


def test_one_that_can_not_be_looked_after_stops_no_other_and_fails_the_sweep(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    assert machines.answers == {}
    services.machines = UnreachableMachines()
    lost = accept("Is it?", run_id="run_1")
    services.time.advance(301)
    accept("Is it not?", run_id="run_2")

    with pytest.raises(StoreUnavailableError, match="1 runs"):
        sweep(services, after=31)

    assert record(services, lost).status is RunStatus.FAILED


class UnreadableContinuation(FakeExecutions):
    """The first run's continuation can't be read; neither can the row of the second."""

    def continuation(self, run: Run) -> Continuation:
        if run.id == "run_1":
            raise RecordUnreadableError("a stored content can't be read")
        return super().continuation(run)

    def overdue(self, *, limit: int) -> list[Overdue]:
        return [replace(each, readable=each.run.id != "run_2") for each in super().overdue(limit=limit)]


def test_a_run_of_which_something_can_not_be_read_stops_no_other_and_is_put_off(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    services.executions = UnreadableContinuation(services.runs)
    for number in (1, 2, 3):
        services.executions.claim(accept("Is it?", run_id=f"run_{number}"), owner="one")

    with pytest.raises(StoreUnavailableError, match="2 runs"):
        sweep(services, after=121)

    assert [each.id for each in machines.answers.values()] == ["run_3"]
    assert sweep(services, after=10) == 0
    with pytest.raises(StoreUnavailableError, match="2 runs"):
        sweep(services, after=300)


@pytest.mark.guarantee_b
def test_a_lost_answer_is_told_apart_from_a_check_that_was_not_lost(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    services.ledger = ledger = LedgerOverRows(FakeLedgerRows(), clock=services.clock)
    run = accept("Is it?", seconds=600, budgets=Allowances(tenant=Allowance(day_micro_usd=1000), revision=1))
    asked = services.runs.get(TENANT, run.id).request
    for step in ("CheckAnswerable", "CallModel"):
        call = Reservation(run=run, step=step, attempt=1, amount_micro_usd=100, model="claude-haiku-5-5", price=PRICE)
        assert ledger.start(ledger.reserve(call, budgets_of(TENANT, asked)))
    started = {call.step: call for call in started_calls(run, asked, services)}

    assert lost_calls([started["CheckAnswerable"]], run, asked, services) == [started["CallModel"]]
    assert machines.answers == {}


@pytest.mark.guarantee_b
def test_a_resumed_run_keeps_on_its_receipt_what_its_lost_execution_had_called(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    services.ledger = ledger = LedgerOverRows(FakeLedgerRows(), clock=services.clock)
    run = accept("Is it?", seconds=600, budgets=Allowances(tenant=Allowance(day_micro_usd=1000), revision=1))
    budgets = budgets_of(TENANT, services.runs.get(TENANT, run.id).request)

    for epoch in (1, 2):
        execution = replace(run, epoch=epoch)
        services.executions.claim(execution, owner=f"execution-{epoch}")
        asked = Reservation(run=execution, attempt=1, amount_micro_usd=100, model="claude-haiku-5-5", price=PRICE)
        assert ledger.start(ledger.reserve(asked, budgets))
        assert [sweep(services, after=seconds) for seconds in (60, 61)] == [0, 0]

    last = services.executions.continuation(run)
    assert [(call.cost_micro_usd, call.outcome) for call in last.calls] == [(100, "lost")] * 2
    assert [each.epoch for each in machines.answers.values()] == [2, 3]
