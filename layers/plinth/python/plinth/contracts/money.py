"""What a budget is, what is set aside for a model call, and what is left. Amounts are integer micro-dollars."""

from dataclasses import dataclass
from enum import StrEnum

from plinth.contracts.runs import ANSWERING, Run
from plinth.contracts.tenant import Tenant


class ScopeKind(StrEnum):
    """Whose spending a budget limits."""

    TENANT = "tenant"
    USER = "user"
    KEY = "key"


class Window(StrEnum):
    """Over which time a budget limits: calendar days and months of UTC."""

    DAY = "day"
    MONTH = "month"


class ReservationState(StrEnum):
    """Where a reservation stands: HELD may be started, INFLIGHT may be billed, the others are final but for CHARGED.

    CHARGED was billed the whole amount because nobody told the bill in time; a late bill makes it SETTLED.
    """

    HELD = "held"
    INFLIGHT = "inflight"
    SETTLED = "settled"
    RELEASED = "released"
    CHARGED = "charged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Who spends: a tenant, or a user or key of it. `name` is the user or the key's id, and empty for the tenant.

    `part` is 0 for the whole of the scope, otherwise the part of its split budget that a call is paid from.
    """

    tenant: Tenant
    kind: ScopeKind
    name: str = ""
    part: int = 0

    def __post_init__(self) -> None:
        if (self.kind is ScopeKind.TENANT) != (not self.name):
            raise ValueError(f"scope {self.kind}: a user or key needs its name, a tenant has none")

    @property
    def label(self) -> str:
        """Return the scope in words."""
        return f"{self.kind} {self.name or self.tenant.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a scope may spend; None is unlimited. Of two budgets for one scope the one of higher `revision` counts.

    `revision` must rise with every change of a limit (the time of the change in milliseconds will do).
    """

    scope: Scope
    revision: int
    day_micro_usd: int | None = None
    month_micro_usd: int | None = None

    def __post_init__(self) -> None:
        for name, limit in (("day_micro_usd", self.day_micro_usd), ("month_micro_usd", self.month_micro_usd)):
            if limit is not None and not 0 <= limit < UNLIMITED_MICRO_USD:
                raise ValueError(f"budget of {self.scope.label}: {name} must be 0 to {UNLIMITED_MICRO_USD - 1}")

    @property
    def limited(self) -> bool:
        """Return whether anything can be refused because of it."""
        return self.day_micro_usd is not None or self.month_micro_usd is not None


UNLIMITED_MICRO_USD = 10**15
"""A billion dollars: stands for no limit in a row whose other window has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The money that is set aside for one model call, named by (run id, epoch, step, attempt).

    `attempt` counts the calls of the `step` that makes them, from 1. `amount_micro_usd` is the most that the call can
    cost, and `price` the price row that says so, as JSON.
    """

    run: Run
    attempt: int
    amount_micro_usd: int
    model: str
    price: str
    step: str = ANSWERING
    scopes: tuple[Scope, ...] = ()
    state: ReservationState = ReservationState.HELD

    def __post_init__(self) -> None:
        if self.amount_micro_usd < 0:
            raise ValueError("amount_micro_usd: a call can't cost less than nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedCall:
    """What a call that was started costs: its bill, or the whole bound where nobody told a bill. `price` is JSON."""

    model: str
    cost_micro_usd: int
    bound_micro_usd: int
    price: str
    billed: bool
    step: str = ANSWERING


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRefusal:
    """Which budget is too small for a call, what is left of it, and the Unix time at which it starts anew."""

    scope: Scope
    window: Window
    limit_micro_usd: int
    left_micro_usd: int
    needed_micro_usd: int
    resets_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowLeft:
    """How a budget stands in one window: limit = left + held + spent, but that `left` is never below 0.

    `limit_micro_usd` and `left_micro_usd` are None where the window has no limit. `resets_at` is Unix time.
    """

    window: Window
    spent_micro_usd: int
    held_micro_usd: int
    resets_at: int
    limit_micro_usd: int | None = None
    left_micro_usd: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLeft:
    """How a scope's budget stands."""

    scope: Scope
    day: WindowLeft
    month: WindowLeft


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep closed: reservations given back, and those charged the whole amount. `failed` are left for later."""

    refunded: int
    charged: int
    failed: int = 0
