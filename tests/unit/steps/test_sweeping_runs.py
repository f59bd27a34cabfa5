"""SweepRuns: a run that was not begun is begun, one that is worked on is waited for, a lost one ends with a reason."""

from collections.abc import Callable

import msgspec
import pytest

from functions.sweep_runs import handler as sweep_runs
from functions.sweep_runs.handler import handler
from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.contracts.access import Allowance, Allowances
from plinth.contracts.money import Reservation
from plinth.contracts.runs import Run, RunRecord, RunStatus
from plinth.errors import StoreUnavailableError
from plinth.money.budgets import budgets_of
from plinth.money.prices import price_of
from tests.fakes.ledger_rows import FakeLedgerRows
from tests.fakes.objects import FakeMachines
from tests.unit.access.world import TIER
from tests.unit.steps.conftest import TENANT, ChainServices

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


def test_a_run_that_is_worked_on_is_left_alone_until_its_execution_must_be_over(
    services: ChainServices, machines: FakeMachines, accept: Accept
) -> None:
    run = accept("Is it?")
    services.runs.claim(run, owner="one")

    assert [sweep(services, after=seconds) for seconds in (60, 270 - 60 + 60)] == [0, 0]
    assert record(services, run).status is RunStatus.RUNNING
    assert sweep(services, after=1) == 1

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
    services.runs.claim(run, owner="one")
    services.runs.cancel(TENANT, run.id)

    assert sweep(services, after=331) == 1
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
    price = msgspec.json.encode(price_of("claude-haiku-5-5")).decode()
    for attempt, amount in ((1, 100), (2, 200), (3, 300)):
        asked = Reservation(run=run, attempt=attempt, amount_micro_usd=amount, model="claude-haiku-5-5", price=price)
        held = ledger.reserve(asked, budgets)
        if attempt < 3:  # the third was never started
            assert ledger.start(held)
        if attempt == 1:
            ledger.settle(held, cost_micro_usd=30)
    services.runs.claim(run, owner="one")

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

    def start_answer(self, run: Run, *, again: int = 0) -> None:
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
