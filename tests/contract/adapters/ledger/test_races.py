"""The contract of `Ledger` among many callers at once."""

import sys
from functools import partial

import pytest

from plinth.contracts.money import Budget, Reservation
from plinth.contracts.tenant import Tenant
from plinth.errors import BudgetExceededError, StoreUnavailableError
from plinth.ports.money import Ledger
from tests.contract.adapters.conftest import at_once
from tests.contract.adapters.ledger.ledgers import (
    Asked,
    budget_of,
    day_of,
    in_flight,
    sweep_all,
)
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.guarantee_b


def reserved(ledger: Ledger, asked: Reservation, budgets: list[Budget]) -> str:
    try:
        ledger.reserve(asked, budgets)
    except BudgetExceededError:
        return "refused"
    except StoreUnavailableError:
        return "unavailable"
    return "held"


RACERS = 200


def test_of_24_threads_exactly_one_starts_a_call(ledger: Ledger, tenant: Tenant, asked: Asked) -> None:
    reservation = ledger.reserve(asked(), [budget_of(tenant)])

    assert sum(at_once([partial(ledger.start, reservation)] * 24)) == 1


def test_of_24_threads_that_settle_and_sweep_at_once_the_call_is_spent_once(
    ledger: Ledger, tenant: Tenant, asked: Asked, clock: FakeClock
) -> None:
    budgets = [budget_of(tenant), budget_of(tenant, "user ada")]
    reservation = in_flight(ledger, asked(), budgets)
    clock.advance(400)

    def settle() -> None:
        ledger.settle(reservation, cost_micro_usd=30)

    def sweep() -> None:
        sweep_all(ledger)

    at_once([settle, sweep] * 12)

    assert [day_of(ledger, budget) for budget in budgets] == [(970, 0, 30)] * 2


def test_200_callers_over_four_scopes_never_overshoot(
    ledger: Ledger, tenant: Tenant, asked: Asked, clock: FakeClock
) -> None:
    """There is room for 60: each refusal of one that would have fitted in the end is a false one."""
    limits = {"": 60_00, "user ada": 70_00, "user bob": 80_00, "key k": 90_00}
    budgets = [budget_of(tenant, name, day=day, month=day) for name, day in limits.items()]

    ends = at_once([partial(reserved, ledger, asked(f"run_{n}"), budgets) for n in range(RACERS)])

    held = ends.count("held")
    false_refusals = max(0, 60 - held - ends.count("unavailable"))
    told = f"{RACERS} callers: {held} held, {ends.count('unavailable')} unavailable, {false_refusals} false refusals"
    sys.stdout.write(f"\n{told}\n")
    assert [day_of(ledger, budget)[1] for budget in budgets] == [held * 100] * 4
    assert held <= 60
    assert false_refusals == 0
