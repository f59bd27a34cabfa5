"""The contract of `Ledger`: what a call holds, spends and is refused; held by the fake and by DynamoDB."""

from dataclasses import replace
from functools import partial

import pytest

from plinth.contracts.money import Window
from plinth.contracts.tenant import Tenant
from plinth.errors import BudgetExceededError, ReservationStateError
from plinth.ports.money import Ledger
from tests.contract.adapters.ledger.ledgers import (
    FEBRUARY,
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


def test_a_call_holds_its_bound_and_spends_its_cost(ledger: Ledger, tenant: Tenant, asked: Asked) -> None:
    budget = budget_of(tenant, month=5000)

    reservation = in_flight(ledger, asked(), [budget])
    assert day_of(ledger, budget) == (900, 100, 0)
    assert month_of(ledger, budget) == (4900, 100, 0)

    ledger.settle(reservation, cost_micro_usd=30)
    assert day_of(ledger, budget) == (970, 0, 30)
    assert month_of(ledger, budget) == (4970, 0, 30)


def test_every_scope_that_applies_is_charged_and_those_without_a_limit_are_skipped(
    ledger: Ledger, tenant: Tenant, asked: Asked
) -> None:
    budgets = [budget_of(tenant, name) for name in ("", "user ada", "key k1")]
    open_to = budget_of(tenant, "user bob", day=None)

    reservation = in_flight(ledger, asked(), [*budgets, open_to])
    ledger.settle(reservation, cost_micro_usd=40)

    assert [day_of(ledger, budget) for budget in budgets] == [(960, 0, 40)] * 3
    assert reservation.scopes == tuple(budget.scope for budget in budgets)
    assert day_of(ledger, open_to) == (None, 0, 0)


def test_a_call_without_any_limit_is_fenced_all_the_same(ledger: Ledger, asked: Asked) -> None:
    reservation = ledger.reserve(asked(), [])

    assert ledger.start(reservation)
    assert not ledger.start(ledger.reserve(asked(), []))
    ledger.settle(reservation, cost_micro_usd=5)


def test_a_refusal_says_which_budget_what_is_left_and_when_it_resets(
    ledger: Ledger, tenant: Tenant, asked: Asked
) -> None:
    budgets = [budget_of(tenant, day=1000), budget_of(tenant, "user ada", day=250), budget_of(tenant, "key k", day=50)]
    in_flight(ledger, asked("run_1", amount=200), budgets[:2])

    with pytest.raises(BudgetExceededError, match=r"day budget of user ada has \$0.000050 left") as raised:
        ledger.reserve(asked("run_2", amount=100), budgets[:2])

    assert raised.value.refusal.scope == budgets[1].scope
    assert (raised.value.refusal.limit_micro_usd, raised.value.refusal.left_micro_usd) == (250, 50)
    assert raised.value.refusal.needed_micro_usd == 100
    assert raised.value.refusal.resets_at == MIDNIGHT
    assert day_of(ledger, budgets[0]) == (800, 200, 0)


def test_of_several_refusals_the_one_that_lasts_longest_is_told(ledger: Ledger, tenant: Tenant, asked: Asked) -> None:
    budgets = [budget_of(tenant, day=10), budget_of(tenant, "user ada", day=10, month=20)]

    with pytest.raises(BudgetExceededError) as raised:
        ledger.reserve(asked(amount=30), budgets)

    assert (raised.value.refusal.scope, raised.value.refusal.window) == (budgets[1].scope, Window.MONTH)
    assert raised.value.refusal.resets_at == FEBRUARY


def test_exactly_what_is_left_may_be_reserved(ledger: Ledger, tenant: Tenant, asked: Asked) -> None:
    budget = budget_of(tenant, day=100)

    ledger.reserve(asked(amount=100), [budget])

    with pytest.raises(BudgetExceededError):
        ledger.reserve(asked("run_2", amount=1), [budget])


def test_a_reserve_that_is_repeated_is_the_same_reservation(ledger: Ledger, tenant: Tenant, asked: Asked) -> None:
    budget = budget_of(tenant, day=100)

    first = ledger.reserve(asked(amount=80), [budget])
    again = ledger.reserve(asked(amount=90), [budget])

    assert again == first
    assert day_of(ledger, budget) == (20, 80, 0)


def test_each_attempt_step_and_epoch_is_a_reservation_of_its_own(ledger: Ledger, tenant: Tenant, asked: Asked) -> None:
    budget = budget_of(tenant)

    for attempt, epoch in ((1, 1), (2, 1), (1, 2)):
        ledger.reserve(asked(attempt=attempt, epoch=epoch), [budget])
    ledger.settle(in_flight(ledger, replace(asked(), step="CheckAnswerable"), [budget]), cost_micro_usd=60)

    assert day_of(ledger, budget) == (640, 300, 60)
    assert [call.step for call in ledger.started(asked().run)] == ["CheckAnswerable"]


def test_one_caller_only_may_make_the_call(ledger: Ledger, tenant: Tenant, asked: Asked) -> None:
    reservation = ledger.reserve(asked(), [budget_of(tenant)])

    assert [ledger.start(reservation) for _ in range(3)] == [True, False, False]


def test_a_released_reservation_gives_everything_back_once_and_can_not_be_started(
    ledger: Ledger, tenant: Tenant, asked: Asked
) -> None:
    budget = budget_of(tenant)
    reservation = ledger.reserve(asked(), [budget])

    ledger.release(reservation)
    ledger.release(reservation)

    assert day_of(ledger, budget) == (1000, 0, 0)
    assert not ledger.start(reservation)


def test_a_settlement_that_is_repeated_counts_once(ledger: Ledger, tenant: Tenant, asked: Asked) -> None:
    budget = budget_of(tenant)
    reservation = in_flight(ledger, asked(), [budget])

    for _ in range(3):
        ledger.settle(reservation, cost_micro_usd=30)

    assert day_of(ledger, budget) == (970, 0, 30)


def test_steps_out_of_order_change_nothing(ledger: Ledger, tenant: Tenant, asked: Asked) -> None:
    budget = budget_of(tenant)
    held = ledger.reserve(asked("run_1"), [budget])
    started = in_flight(ledger, asked("run_2"), [budget])

    for step in (
        partial(ledger.settle, held, cost_micro_usd=1),
        partial(ledger.release, started),
        partial(ledger.settle, asked("run_3"), cost_micro_usd=1),
        partial(ledger.release, asked("run_3")),
        partial(ledger.start, asked("run_3")),
    ):
        with pytest.raises(ReservationStateError):
            step()

    assert day_of(ledger, budget) == (800, 200, 0)


@pytest.mark.guarantee_e
def test_tenants_do_not_share_a_budget(ledger: Ledger, tenant: Tenant, other_tenant: Tenant, asked: Asked) -> None:
    ledger.reserve(asked(amount=1000), [budget_of(tenant)])

    assert day_of(ledger, budget_of(other_tenant)) == (1000, 0, 0)


def test_the_calls_of_a_run_are_told_as_the_books_have_them(
    ledger: Ledger, tenant: Tenant, asked: Asked, clock: FakeClock
) -> None:
    budgets = [budget_of(tenant)]
    ledger.settle(in_flight(ledger, asked(attempt=1), budgets), cost_micro_usd=30)
    in_flight(ledger, asked(attempt=2, amount=200), budgets)
    ledger.reserve(asked(attempt=3), budgets)
    in_flight(ledger, asked("run_2"), budgets)

    told = [(call.cost_micro_usd, call.bound_micro_usd, call.billed) for call in ledger.started(asked().run)]
    clock.advance(400)
    sweep_all(ledger)
    swept = [(call.cost_micro_usd, call.billed) for call in ledger.started(asked().run)]

    assert told == [(30, 100, True), (200, 200, False)]
    assert swept == [(30, True), (200, False)]
