"""The contract of `Ledger`, by time: sweeps, late bills, midnights, slow clocks and changed limits."""

import pytest

from plinth.contracts.money import Swept
from plinth.contracts.tenant import Tenant
from plinth.errors import BudgetExceededError
from plinth.ports.money import Ledger
from tests.contract.adapters.ledger.ledgers import (
    DAY,
    MIDNIGHT,
    Asked,
    budget_of,
    day_of,
    in_flight,
    month_of,
    sweep_all,
)
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.guarantee_b


def test_a_sweep_gives_back_what_was_not_started_and_charges_what_was(
    ledger: Ledger, tenant: Tenant, asked: Asked, clock: FakeClock
) -> None:
    budget = budget_of(tenant)
    held = ledger.reserve(asked("run_1", amount=10), [budget])
    in_flight(ledger, asked("run_2", amount=200), [budget])
    clock.advance(330 - 1)
    sweep_all(ledger)
    assert day_of(ledger, budget) == (790, 210, 0)

    clock.advance(1)
    assert not ledger.start(held)
    swept = sweep_all(ledger)

    assert day_of(ledger, budget) == (800, 0, 200)
    assert swept.refunded >= 1
    assert swept.charged >= 1
    assert swept.failed == 0
    assert sweep_all(ledger) == Swept(refunded=0, charged=0)


def test_a_late_bill_corrects_the_charge_once(ledger: Ledger, tenant: Tenant, asked: Asked, clock: FakeClock) -> None:
    budget = budget_of(tenant, month=3000)
    reservation = in_flight(ledger, asked(), [budget])
    clock.advance(400)
    sweep_all(ledger)

    for _ in range(3):
        ledger.settle(reservation, cost_micro_usd=30)

    assert day_of(ledger, budget) == (970, 0, 30)
    assert month_of(ledger, budget) == (2970, 0, 30)


def test_a_late_bill_gives_nothing_back_in_a_window_that_is_over(
    ledger: Ledger, tenant: Tenant, asked: Asked, clock: FakeClock
) -> None:
    budget = budget_of(tenant, month=3000)
    late = [in_flight(ledger, asked(f"run_{number}"), [budget]) for number in range(2)]
    clock.advance(400)
    sweep_all(ledger)

    clock.advance(DAY)
    ledger.settle(in_flight(ledger, asked("tomorrow"), [budget]), cost_micro_usd=50)
    ledger.settle(late[0], cost_micro_usd=30)
    assert day_of(ledger, budget) == (950, 0, 50)
    assert month_of(ledger, budget) == (2820, 0, 180)

    clock.advance(30 * DAY)
    ledger.settle(in_flight(ledger, asked("next month"), [budget]), cost_micro_usd=60)
    ledger.settle(late[1], cost_micro_usd=30)
    assert month_of(ledger, budget) == (2940, 0, 60)


def test_a_late_bill_finds_the_day_in_which_the_budget_was_charged(
    ledger: Ledger, tenant: Tenant, asked: Asked, clock: FakeClock
) -> None:
    """No call came since midnight, so the budget still stands at the day before, as a slow clock shows."""
    budget = budget_of(tenant)
    clock.advance(DAY / 2 - 1)
    reservation = in_flight(ledger, asked(), [budget])
    clock.advance(400)
    sweep_all(ledger)

    ledger.settle(reservation, cost_micro_usd=30)

    assert day_of(ledger, budget) == (1000, 0, 0)
    clock.advance(-400)
    assert day_of(ledger, budget) == (970, 0, 30)


def test_what_is_held_across_midnight_is_neither_lost_nor_doubled(
    ledger: Ledger, tenant: Tenant, asked: Asked, clock: FakeClock
) -> None:
    budget = budget_of(tenant, month=3000)
    ledger.settle(in_flight(ledger, asked("spent", amount=500), [budget]), cost_micro_usd=500)
    clock.advance(DAY / 2 - 1)
    held = in_flight(ledger, asked("held", amount=300), [budget])

    clock.advance(1)
    assert day_of(ledger, budget) == (700, 300, 0)
    ledger.reserve(asked("new", amount=700), [budget])
    assert day_of(ledger, budget) == (0, 1000, 0)
    ledger.settle(held, cost_micro_usd=100)

    assert day_of(ledger, budget) == (200, 700, 100)
    assert month_of(ledger, budget) == (1700, 700, 600)


def test_a_slow_clock_neither_rolls_a_budget_back_nor_spends_yesterday_again(
    ledger: Ledger, tenant: Tenant, asked: Asked, clock: FakeClock
) -> None:
    budget = budget_of(tenant)
    clock.advance(DAY)
    ledger.reserve(asked("ahead", amount=900), [budget])
    clock.advance(-DAY)

    ledger.reserve(asked("behind", amount=100), [budget])

    assert day_of(ledger, budget) == (0, 1000, 0)
    with pytest.raises(BudgetExceededError) as raised:
        ledger.reserve(asked("too much", amount=1), [budget])
    assert raised.value.refusal.resets_at == MIDNIGHT + DAY


def test_a_changed_limit_takes_force_at_once_and_an_older_one_never_returns(
    ledger: Ledger, tenant: Tenant, asked: Asked
) -> None:
    old, lower, higher = (budget_of(tenant, day=day, revision=n) for n, day in enumerate((1000, 300, 2000)))
    ledger.reserve(asked("run_1", amount=500), [old])

    with pytest.raises(BudgetExceededError) as raised:
        ledger.reserve(asked("run_2", amount=1), [lower])
    assert (raised.value.refusal.limit_micro_usd, raised.value.refusal.left_micro_usd) == (300, 0)
    with pytest.raises(BudgetExceededError):
        ledger.reserve(asked("run_3", amount=1), [old])

    ledger.reserve(asked("run_4", amount=1500), [higher])
    assert day_of(ledger, old) == (0, 2000, 0)


def test_an_older_limit_does_not_return_with_a_new_day(
    ledger: Ledger, tenant: Tenant, asked: Asked, clock: FakeClock
) -> None:
    old, lower = budget_of(tenant, day=1000, revision=1), budget_of(tenant, day=300, revision=2)
    ledger.reserve(asked("run_1", amount=100), [lower])
    clock.advance(DAY)

    with pytest.raises(BudgetExceededError):
        ledger.reserve(asked("run_2", amount=201), [old])


def test_a_limit_that_is_set_or_lifted_takes_force_at_once(ledger: Ledger, tenant: Tenant, asked: Asked) -> None:
    unlimited_day = budget_of(tenant, day=None, month=5000, revision=1)
    ledger.reserve(asked("run_1", amount=2000), [unlimited_day])
    assert day_of(ledger, unlimited_day) == (None, 2000, 0)

    with pytest.raises(BudgetExceededError):
        ledger.reserve(asked("run_2", amount=1), [budget_of(tenant, day=2000, month=5000, revision=2)])

    lifted = budget_of(tenant, day=None, month=5000, revision=3)
    ledger.reserve(asked("run_3", amount=3000), [lifted])
    assert month_of(ledger, lifted) == (0, 5000, 0)
    with pytest.raises(BudgetExceededError):
        ledger.reserve(asked("run_4", amount=1), [lifted])
