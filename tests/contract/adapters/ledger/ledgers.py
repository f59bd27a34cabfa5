"""The words in which the ledger's contract is said: what is asked, which budgets, how they stand."""

from collections.abc import Callable

from plinth.contracts.money import Budget, Reservation, Scope, ScopeKind, Swept
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from plinth.ports.money import Ledger
from tests.fakes.clock import FakeClock

NOON = 1_800_014_400.0  # 2027-01-15 12:00 UTC
DAY = 86_400
MIDNIGHT = NOON + DAY / 2
FEBRUARY = 1_801_440_000


Asked = Callable[..., Reservation]
"""What `asked_by` makes."""


def asked_by(tenant: Tenant, clock: FakeClock) -> Asked:
    """Make what one tenant's runs ask for."""

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
