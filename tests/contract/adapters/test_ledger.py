"""The contract of `Ledger`, held by the fake and by DynamoDB; and what only a real store can show."""

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from plinth.adapters.dynamo_ledger_rows import OPEN, DynamoLedgerRows
from plinth.adapters.dynamodb_table import Table
from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.contracts.money import Budget, Reservation, Scope, ScopeKind, Swept, Window
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from plinth.errors import BudgetExceededError, ReservationStateError, StoreUnavailableError
from plinth.ports import Ledger
from tests.contract.adapters.conftest import at_once
from tests.fakes.clock import FakeClock
from tests.fakes.ledger_rows import FakeLedgerRows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.guarantee_b

NOON = 1_800_014_400.0  # 2027-01-15 12:00 UTC
DAY = 86_400
MIDNIGHT = NOON + DAY / 2
FEBRUARY = 1_801_440_000


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture(scope="session")
def ledger_table(dynamodb: "DynamoDBClient") -> Table:
    name = f"ledger-{uuid4().hex}"
    text = ("pk", "sk", OPEN.partition)
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            *({"AttributeName": each, "AttributeType": "S"} for each in text),  # type: ignore[list-item]
            {"AttributeName": OPEN.sort, "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {
                "IndexName": OPEN.name,
                "KeySchema": [
                    {"AttributeName": OPEN.partition, "KeyType": "HASH"},
                    {"AttributeName": OPEN.sort, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    return Table(client=dynamodb, name=name)


@pytest.fixture(params=["fake", "dynamodb"])
def ledger(request: pytest.FixtureRequest, clock: FakeClock) -> Ledger:
    if request.param == "fake":
        return LedgerOverRows(FakeLedgerRows(), clock=clock)
    return LedgerOverRows(DynamoLedgerRows(table=request.getfixturevalue("ledger_table")), clock=clock)


Asked = Callable[..., Reservation]


@pytest.fixture
def asked(tenant: Tenant, clock: FakeClock) -> Asked:
    def make(run_id: str = "run_1", *, amount: int = 100, attempt: int = 1, epoch: int = 1) -> Reservation:
        run = Run(id=run_id, tenant=tenant, epoch=epoch, deadline=clock.now() + 270)
        return Reservation(run=run, attempt=attempt, amount_micro_usd=amount, model="small", price="{}")

    return make


def budget_of(
    tenant: Tenant, name: str = "", *, day: int | None = 1000, month: int | None = None, revision: int = 1
) -> Budget:
    kind, _, called = name.partition(" ")
    scope = Scope(tenant=tenant, kind=ScopeKind(kind or "tenant"), name=called)
    return Budget(scope=scope, revision=revision, day_micro_usd=day, month_micro_usd=month)


def day_of(ledger: Ledger, budget: Budget) -> tuple[int | None, int, int]:
    """Return what is left, held and spent of the day."""
    day = ledger.left([budget])[0].day
    return day.left_micro_usd, day.held_micro_usd, day.spent_micro_usd


def month_of(ledger: Ledger, budget: Budget) -> tuple[int | None, int, int]:
    month = ledger.left([budget])[0].month
    return month.left_micro_usd, month.held_micro_usd, month.spent_micro_usd


def in_flight(ledger: Ledger, asked: Reservation, budgets: list[Budget]) -> Reservation:
    reservation = ledger.reserve(asked, budgets)
    assert ledger.start(reservation)
    return reservation


def sweep_all(ledger: Ledger) -> Swept:
    return ledger.sweep(limit=1000)


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


def test_each_attempt_and_each_epoch_is_a_reservation_of_its_own(ledger: Ledger, tenant: Tenant, asked: Asked) -> None:
    budget = budget_of(tenant)

    for attempt, epoch in ((1, 1), (2, 1), (1, 2)):
        ledger.reserve(asked(attempt=attempt, epoch=epoch), [budget])

    assert day_of(ledger, budget) == (700, 300, 0)


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


def test_a_limit_that_is_set_or_lifted_takes_force_at_once(ledger: Ledger, tenant: Tenant, asked: Asked) -> None:
    unlimited_day = budget_of(tenant, day=None, month=5000, revision=1)
    ledger.reserve(asked("run_1", amount=2000), [unlimited_day])
    assert day_of(ledger, unlimited_day) == (None, 2000, 0)

    with pytest.raises(BudgetExceededError):
        ledger.reserve(asked("run_2", amount=1), [budget_of(tenant, day=2000, month=5000, revision=2)])

    lifted = budget_of(tenant, day=None, month=5000, revision=3)
    ledger.reserve(asked("run_3", amount=3000), [lifted])
    assert month_of(ledger, lifted) == (0, 5000, 0)


@pytest.mark.guarantee_e
def test_tenants_do_not_share_a_budget(ledger: Ledger, tenant: Tenant, other_tenant: Tenant, asked: Asked) -> None:
    ledger.reserve(asked(amount=1000), [budget_of(tenant)])

    assert day_of(ledger, budget_of(other_tenant)) == (1000, 0, 0)


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


def reserved(ledger: Ledger, asked: Reservation, budgets: list[Budget]) -> str:
    try:
        ledger.reserve(asked, budgets)
    except BudgetExceededError:
        return "refused"
    except StoreUnavailableError:
        return "unavailable"
    return "held"


RACERS = 200


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
