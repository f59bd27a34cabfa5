"""A budget that is used up, as the API's client meets it: 402 before the run is written down."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.contracts.access import Allowance, Allowances
from plinth.contracts.money import Budget, BudgetLeft, Reservation, Scope, ScopeKind
from plinth.contracts.runs import Run
from plinth.errors import StoreUnavailableError
from tests.fakes.ledger_rows import FakeLedgerRows
from tests.unit.access.world import ALICE, TIER, World
from tests.unit.api.client import Client

pytestmark = pytest.mark.guarantee_b

PAID = "claude-haiku-5-5"


def spend(world: World, budget: Budget, micro_usd: int) -> None:
    """Spend this much of the budget."""
    run = Run(id="run_0", tenant=ALICE, epoch=1, deadline=world.clock.now() + 270)
    call = Reservation(run=run, attempt=1, amount_micro_usd=micro_usd, model=PAID, price="{}")
    held = world.services.ledger.reserve(call, [budget])
    world.services.ledger.start(held)
    world.services.ledger.settle(held, cost_micro_usd=micro_usd)


@pytest.fixture(autouse=True)
def ledger(world: World) -> None:
    world.services.ledger = LedgerOverRows(FakeLedgerRows(), clock=world.clock)
    world.tenants.tiers[ALICE] = replace(TIER, budgets=Allowances(user=Allowance(day_micro_usd=10_000), revision=1))


def test_a_run_that_nothing_is_left_for_is_refused_and_leaves_no_trace(world: World, client: Client) -> None:
    scope = Scope(tenant=ALICE, kind=ScopeKind.USER, name="someone")
    spend(world, Budget(scope=scope, revision=1, day_micro_usd=10_000), 9_999)

    refused = client.ask(model=PAID)

    assert (refused.status, refused.code) == (402, "budget_exceeded")
    assert refused.json["budget"] == "day budget of user someone"
    assert refused.json["left_micro_usd"] == 1 < refused.json["needed_micro_usd"]
    assert 0 < refused.json["resets_at"] - world.clock.now() <= 86_400
    assert world.runs.rows == {}
    assert client.ask().status == 202  # the model that costs nothing


def test_a_run_that_may_be_paid_for_is_accepted_with_its_budgets_and_its_key(world: World, client: Client) -> None:
    run_id = client.ask(model=PAID).json["id"]

    asked = world.runs.get(ALICE, run_id).request

    assert asked.budgets == world.tenants.tiers[ALICE].budgets
    assert world.tenants.keys[asked.key_id].tenant == ALICE


class SilentLedger(LedgerOverRows):
    """A ledger that can't be read."""

    def left(self, budgets: Sequence[Budget]) -> list[BudgetLeft]:
        raise StoreUnavailableError("throttled")


def test_a_budget_that_cannot_be_read_admits_nobody(world: World, client: Client) -> None:
    world.services.ledger = SilentLedger(FakeLedgerRows(), clock=world.clock)

    assert client.ask(model=PAID).status == 503
    assert world.runs.rows == {}
