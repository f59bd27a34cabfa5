"""CallModel and its budgets: nothing is asked of a model that is not set aside before, and what it cost is settled."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.build_prompt.handler import build_prompt
from functions.call_model.handler import call_model
from functions.fail_run.handler import fail_run
from functions.retrieve_context.handler import retrieve_context
from functions.save_answer.handler import save_answer
from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.chain.failures import run_failure
from plinth.contracts.access import Allowance, Allowances
from plinth.contracts.events import LoggedEvent
from plinth.contracts.money import BudgetLeft, Reservation, ScopeKind, StartedCall
from plinth.contracts.runs import Answer, Run, RunStatus
from plinth.contracts.tenant import Tenant
from plinth.errors import ModelBusyError, ModelStreamCutError, StoreUnavailableError
from plinth.money.budgets import budgets_of
from tests.fakes.ledger_rows import FakeLedgerRows
from tests.fakes.models import FakeModel, whole
from tests.fakes.runs import FakeRunLog
from tests.unit.steps.conftest import TENANT, ChainServices

pytestmark = pytest.mark.guarantee_b

Call = Callable[..., dict[str, Any]]
Accept = Callable[..., Run]
DOLLAR = 1_000_000


@pytest.fixture(autouse=True)
def ledger(services: ChainServices) -> LedgerOverRows:
    made = LedgerOverRows(FakeLedgerRows(), clock=services.clock)
    services.ledger = made
    return made


@pytest.fixture
def ask(call: Call, accept: Accept) -> Callable[..., Run]:
    """Accept a run under these budgets, and build its prompt."""

    def ask_run(**allowed: Any) -> Run:
        run = accept("Is it?", key_id="k1", budgets=Allowances(revision=1, **allowed))
        call(retrieve_context, run=run)
        call(build_prompt, run=run)
        return run

    return ask_run


def left(services: ChainServices, run: Run) -> list[BudgetLeft]:
    return services.ledger.left(budgets_of(TENANT, services.runs.get(TENANT, run.id).request))


def day(services: ChainServices, run: Run) -> list[tuple[ScopeKind, int, int]]:
    """Return scope, spent and held of each budget's day."""
    return [(each.scope.kind, each.day.spent_micro_usd, each.day.held_micro_usd) for each in left(services, run)]


def test_a_call_is_settled_in_every_budget_at_its_bill(
    services: ChainServices, call: Call, ask: Callable[..., Run]
) -> None:
    limit = Allowance(day_micro_usd=DOLLAR)
    run = ask(tenant=limit, user=limit, key=limit)
    services.model = FakeModel((["Yes."], whole()))

    result = call(call_model, run=run, attempt=1, steps=[])

    bill = result["calls"][0]["cost_micro_usd"]
    assert 0 < bill < result["calls"][0]["bound_micro_usd"]
    assert day(services, run) == [(scope, bill, 0) for scope in (ScopeKind.TENANT, ScopeKind.USER, ScopeKind.KEY)]


def test_a_call_that_may_cost_more_than_is_left_asks_no_model_and_ends_the_run(
    services: ChainServices, call: Call, ask: Callable[..., Run]
) -> None:
    run = ask(tenant=Allowance(day_micro_usd=DOLLAR), user=Allowance(month_micro_usd=100))
    services.model = FakeModel()

    result = call(call_model, run=run, attempt=1, steps=[])

    assert (result["outcome"], result["reason"], result["calls"]) == ("failed", "budget_exceeded", ())
    assert run_failure(result["error"]).reason == "budget_exceeded"
    assert day(services, run) == [(ScopeKind.TENANT, 0, 0), (ScopeKind.USER, 0, 0)]
    assert services.model.requests == []


def test_a_failed_call_costs_what_was_billed_or_else_its_bound(
    services: ChainServices, call: Call, ask: Callable[..., Run]
) -> None:
    run = ask(tenant=Allowance(day_micro_usd=DOLLAR))
    services.model = FakeModel(([], ModelBusyError("busy")), (["Half"], ModelStreamCutError("cut")))

    busy = call(call_model, run=run, attempt=1, steps=[])
    after_busy = day(services, run)
    cut = call(call_model, run=run, attempt=2, steps=[])

    assert (busy["calls"][0]["cost_micro_usd"], after_busy) == (0, [(ScopeKind.TENANT, 0, 0)])
    bound = cut["calls"][0]["bound_micro_usd"]
    assert cut["calls"][0]["cost_micro_usd"] == bound > 0
    assert day(services, run) == [(ScopeKind.TENANT, bound, 0)]


def test_a_call_that_somebody_started_before_is_not_made_again_and_counts_at_its_bound(
    services: ChainServices, call: Call, ask: Callable[..., Run]
) -> None:
    run = ask(tenant=Allowance(day_micro_usd=DOLLAR))
    services.model = FakeModel((["Yes."], whole()), (["Yes."], whole()))
    call(call_model, run=run, attempt=1, steps=[])

    again = call(call_model, run=run, attempt=1, steps=[])

    assert again["calls"][0]["estimated"]
    assert len(services.model.requests) == 1


class UnreadableLog(FakeRunLog):
    """A log that can't be read."""

    def read(self, tenant: Tenant, run_id: str, *, after: int) -> list[LoggedEvent]:
        raise StoreUnavailableError(f"throttled: {tenant.id} {run_id} {after}")


def test_a_log_that_cannot_be_read_charges_nothing_and_the_repeated_step_asks_the_model(
    services: ChainServices, call: Call, ask: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ask(tenant=Allowance(day_micro_usd=DOLLAR))
    services.model = FakeModel((["Yes."], whole()))
    with monkeypatch.context() as throttled:
        throttled.setattr(services, "run_log", UnreadableLog(services.runs))
        with pytest.raises(StoreUnavailableError):
            call(call_model, run=run, attempt=1, steps=[])
    assert day(services, run) == [(ScopeKind.TENANT, 0, 0)]

    repeated = call(call_model, run=run, attempt=1, steps=[])

    assert repeated["outcome"] == "complete"
    assert day(services, run) == [(ScopeKind.TENANT, repeated["calls"][0]["cost_micro_usd"], 0)]


class UnsettlingLedger(LedgerOverRows):
    """A ledger that can't write a bill down."""

    def settle(self, reservation: Reservation, *, cost_micro_usd: int) -> None:
        raise StoreUnavailableError("throttled")


def test_a_bill_that_cannot_be_written_down_loses_no_answer_and_the_sweep_charges_the_bound(
    services: ChainServices, call: Call, ask: Callable[..., Run]
) -> None:
    services.ledger = UnsettlingLedger(FakeLedgerRows(), clock=services.clock)
    run = ask(tenant=Allowance(day_micro_usd=DOLLAR))
    services.model = FakeModel((["Yes."], whole()))

    result = call(call_model, run=run, attempt=1, steps=[])
    bound = result["calls"][0]["bound_micro_usd"]
    held = day(services, run)
    services.time.advance(400)
    swept = services.ledger.sweep(limit=10)

    assert result["outcome"] == "complete"
    assert held == [(ScopeKind.TENANT, 0, bound)]
    assert (swept.charged, day(services, run)) == (1, [(ScopeKind.TENANT, bound, 0)])


def test_a_tenant_without_budgets_writes_nothing_into_the_ledger(
    services: ChainServices, call: Call, ask: Callable[..., Run]
) -> None:
    rows = FakeLedgerRows()
    services.ledger = LedgerOverRows(rows, clock=services.clock)
    services.model = FakeModel((["Yes."], whole()))

    call(call_model, run=ask(), attempt=1, steps=[])

    assert rows.rows == {}


def test_a_run_whose_calling_function_was_lost_ends_with_the_call_at_its_bound_on_the_receipt(
    services: ChainServices, call: Call, ask: Callable[..., Run]
) -> None:
    run = ask(tenant=Allowance(day_micro_usd=DOLLAR))
    services.model = FakeModel(([], ModelBusyError("busy")), (["Yes."], whole()))
    told = call(call_model, run=run, attempt=1, steps=[])["calls"]
    call(call_model, run=run, attempt=2, steps=[])  # and its answer never reached the machine

    call(fail_run, run=run, owner="one", error="Runtime.ExitError", calls=told, steps=[])

    receipt = services.runs.get(TENANT, run.id).receipt
    assert receipt is not None
    assert [each.outcome for each in receipt.model_calls] == ["model_busy", "complete"]
    assert receipt.model_cost_micro_usd == day(services, run)[0][1] > 0


def test_a_call_whose_execution_was_lost_stands_on_the_receipt_of_an_answer_that_is_found_cached_then(
    services: ChainServices, call: Call, ask: Callable[..., Run]
) -> None:
    run = ask(tenant=Allowance(day_micro_usd=DOLLAR))
    services.model = FakeModel((["Yes."], whole()))
    lost = call(call_model, run=run, attempt=1, steps=[])["calls"]
    services.runs.put_content(run, "answer", Answer(text="Yes.", citations=(), stop_reason="end_turn", model="m"))

    found = {"match": "exact", "saved_micro_usd": 20, "saved_at": services.clock.now()}
    call(save_answer, run=run, cached=True, cache_key=None, calls=lost, steps=[], **found)

    receipt = services.runs.get(TENANT, run.id).receipt
    (used,) = services.usage.days(TENANT, first="0000-01-01", last="9999-12-31")
    assert receipt is not None
    assert (receipt.cached, receipt.saved_micro_usd, len(receipt.model_calls)) == (True, 20, 1)
    assert receipt.model_cost_micro_usd == used.amounts["model_cost_micro_usd"] == day(services, run)[0][1] > 0


class UnreadableLedger(LedgerOverRows):
    """A ledger whose calls can't be read."""

    def started(self, run: Run) -> list[StartedCall]:
        raise StoreUnavailableError(f"throttled, and so are the calls of {run.id}")


def test_a_ledger_that_cannot_be_read_keeps_no_run_from_its_end(
    services: ChainServices, call: Call, ask: Callable[..., Run]
) -> None:
    services.ledger = UnreadableLedger(FakeLedgerRows(), clock=services.clock)
    run = ask(tenant=Allowance(day_micro_usd=DOLLAR))

    call(fail_run, run=run, owner="one", error="Runtime.ExitError", calls=[], steps=[])

    assert services.runs.get(TENANT, run.id).status is RunStatus.FAILED
