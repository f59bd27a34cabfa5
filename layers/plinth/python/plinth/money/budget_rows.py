"""What a budget's row holds, and how it changes: held, settled, refunded, rolled to a new day, given a new limit.

For each window (day, month): avail + held + spent = limit. `avail` is stored because DynamoDB's conditions know no
arithmetic; `held` is one number for both windows, since what is held is carried into a new one. It includes `lent`,
which `budget_parts` explains; a part's row knows no windows.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import msgspec

from plinth.contracts.money import (
    UNLIMITED_MICRO_USD,
    Budget,
    BudgetLeft,
    BudgetRefusal,
    Scope,
    ScopeKind,
    Window,
    WindowLeft,
)
from plinth.contracts.tenant import Tenant
from plinth.errors import RecordUnreadableError
from plinth.money.ledger_changes import Change, Condition, Row, RowKey, Value, record_of


class BudgetRow(msgspec.Struct, frozen=True):
    """A row as stored. `day` is the UTC date that it stands at, which also says the month."""

    day: str
    revision: int
    held: int
    day_limit: int
    day_spent: int
    day_avail: int
    month_limit: int
    month_spent: int
    month_avail: int
    lent: int

    def limit(self, window: Window) -> int:
        """Return the window's limit."""
        return self.day_limit if window is Window.DAY else self.month_limit

    def spent(self, window: Window) -> int:
        """Return what was spent in the window."""
        return self.day_spent if window is Window.DAY else self.month_spent

    def avail(self, window: Window) -> int:
        """Return what can still be held in the window; below 0 only after its limit was lowered."""
        return self.day_avail if window is Window.DAY else self.month_avail


def budget_key(scope: Scope) -> RowKey:
    """Return the key of a scope's row; a tenant's rows stand together, but for the parts of split ones."""
    apart = f"/{scope.part}" if scope.part else ""
    return f"{scope.tenant.id}#BUDGET{apart}", f"{scope.kind.upper()}#{scope.name}"


def scope_text(scope: Scope) -> str:
    """Return a scope as reservations spell it; `scope_of` reads it back."""
    return f"{scope.kind}#{scope.part}#{scope.name}"


def scope_of(tenant: Tenant, text: str) -> Scope:
    """Return the scope that `scope_text` spelled, or raise `RecordUnreadableError`."""
    try:
        kind, part, name = text.split("#", 2)
        return Scope(tenant=tenant, kind=ScopeKind(kind), part=int(part), name=name)
    except ValueError as error:
        raise RecordUnreadableError("a reservation's scope can't be read") from error


def budget_row(row: Row) -> BudgetRow:
    """Return the stored row as a record."""
    return record_of(row, BudgetRow)


def utc_day(now: float) -> str:
    """Return the UTC date of a Unix time, which sorts as text."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def first(budget: Budget, day: str) -> Change:
    """Make the row of a scope that has none."""
    limits = {window: limit_of(budget, window) for window in Window}
    zeros = {f"{window}_spent": 0 for window in Window}
    put: dict[str, Value] = {"day": day, "revision": budget.revision, "held": 0, "lent": 0, **zeros}
    put |= {f"{window}_limit": limit for window, limit in limits.items()}
    put |= {f"{window}_avail": limit for window, limit in limits.items()}
    return Change(key=budget_key(budget.scope), where=(Condition(attribute="day", comparison="absent"),), put=put)


def is_current(row: BudgetRow, budget: Budget, day: str) -> bool:
    """Return whether the row stands at this day, and has this budget's limits or later ones."""
    return row.day == day and row.revision >= budget.revision


def renewed(row: BudgetRow, budget: Budget, day: str) -> Change:
    """Roll the row to a later day and give it the limits of a later revision, unless somebody else just did.

    What was spent in a window that is over becomes available again; what is held stays held.
    """
    put: dict[str, Value] = {"day": max(day, row.day)}
    add: dict[str, int] = {}
    where = [equals("day", row.day), equals("revision", row.revision)]
    for window in Window:
        gained = 0
        if _period(window, row.day) < _period(window, day):
            gained += row.spent(window)
            put[f"{window}_spent"] = 0
            where.append(equals(f"{window}_spent", row.spent(window)))
        if row.revision < budget.revision:
            gained += limit_of(budget, window) - row.limit(window)
            put[f"{window}_limit"] = limit_of(budget, window)
            put["revision"] = budget.revision
        add[f"{window}_avail"] = gained
    return Change(key=budget_key(budget.scope), where=tuple(where), put=put, add=add)


def hold(budget: Budget, amount: int, day: str) -> Change:
    """Set an amount aside, only if each window of this very day has it, under these limits or later ones."""
    available = [f"{window}avail" for window in _windows(budget.scope)]
    enough = (at_least(name, amount) for name in available)
    return Change(
        key=budget_key(budget.scope),
        where=(equals("day", day), at_least("revision", budget.revision), *enough),
        add={"held": amount, **dict.fromkeys(available, -amount)},
    )


def spend(scope: Scope, amount: int, cost: int) -> Change:
    """Turn a held amount into what was spent of it; a cost of 0 gives all of it back. Any day will do."""
    add = {"held": -amount}
    for window in _windows(scope):
        add |= {f"{window}spent": cost, f"{window}avail": amount - cost}
    return Change(key=budget_key(scope), where=(at_least("held", amount),), add=add)


def spend_on(scope: Scope, amount: int, day: str) -> Change:
    """Spend a held amount whole, only while the row stands at `day`, so that a refund finds the same window.

    What a part holds is spent from the whole, which knows days: `leave` takes it out of the part.
    """
    spent = spend(whole(scope), amount, amount)
    add = {**spent.add, "lent": -amount if scope.part else 0}
    return Change(key=spent.key, where=(*spent.where, equals("day", day)), add=add)


def leave(part: Scope, amount: int) -> Change:
    """Take a held amount out of a part."""
    return Change(key=budget_key(part), where=(at_least("held", amount),), add={"held": -amount})


def whole(scope: Scope) -> Scope:
    """Return the scope that a part belongs to."""
    return replace(scope, part=0)


def refund(scope: Scope, amount: int, *, spent_on: str, day: str) -> Change:
    """Give back what was spent on `spent_on`, in those of its windows that the row, standing at `day`, is still in.

    It may be none of them; `held` is named because a change must change something.
    """
    add = {"held": 0}
    for window in Window:
        if _period(window, spent_on) == _period(window, day):
            add |= {f"{window}_spent": -amount, f"{window}_avail": amount}
    return Change(key=budget_key(whole(scope)), where=(equals("day", day),), add=add)


def refusal(budget: Budget, row: BudgetRow, amount: int) -> BudgetRefusal | None:
    """Return which window of a current row lacks the amount: the month before the day, as it lasts longer."""
    for window in (Window.MONTH, Window.DAY):
        if row.avail(window) < amount:
            return BudgetRefusal(
                scope=budget.scope,
                window=window,
                limit_micro_usd=row.limit(window),
                left_micro_usd=max(0, row.avail(window)),
                needed_micro_usd=amount,
                resets_at=resets_at(window, row.day),
            )
    return None


def left(budget: Budget, row: BudgetRow | None, *, day: str) -> BudgetLeft:
    """Return how the budget stands on this day, as the next reservation would find it; no row, nothing spent."""
    return BudgetLeft(
        scope=budget.scope,
        day=_window_left(Window.DAY, budget, row, day),
        month=_window_left(Window.MONTH, budget, row, day),
    )


def _window_left(window: Window, budget: Budget, row: BudgetRow | None, day: str) -> WindowLeft:
    day = max(day, row.day) if row else day
    limit = row.limit(window) if row and row.revision > budget.revision else limit_of(budget, window)
    spent = row.spent(window) if row and _period(window, row.day) == _period(window, day) else 0
    held = row.held if row else 0
    unlimited = limit == UNLIMITED_MICRO_USD
    return WindowLeft(
        window=window,
        spent_micro_usd=spent,
        held_micro_usd=held,
        resets_at=resets_at(window, day),
        limit_micro_usd=None if unlimited else limit,
        left_micro_usd=None if unlimited else max(0, limit - spent - held),
    )


def limit_of(budget: Budget, window: Window) -> int:
    """Return the limit as rows spell it."""
    limit = budget.day_micro_usd if window is Window.DAY else budget.month_micro_usd
    return UNLIMITED_MICRO_USD if limit is None else limit


def resets_at(window: Window, day: str) -> int:
    """Return the Unix time at which the window that `day` lies in is over."""
    start = date.fromisoformat(day)
    if window is Window.DAY:
        over = start + timedelta(days=1)
    else:
        over = (start.replace(day=1) + timedelta(days=31)).replace(day=1)
    return int(datetime(over.year, over.month, over.day, tzinfo=UTC).timestamp())


def _windows(scope: Scope) -> tuple[str, ...]:
    """Return what the attributes of a row begin with: a part's row knows no windows."""
    return ("",) if scope.part else tuple(f"{window}_" for window in Window)


def _period(window: Window, day: str) -> str:
    return day if window is Window.DAY else day[: len("2026-11")]


def equals(attribute: str, value: str | int) -> Condition:
    """Ask for this very value."""
    return Condition(attribute=attribute, comparison="=", value=value)


def at_least(attribute: str, value: int) -> Condition:
    """Ask for this value or more."""
    return Condition(attribute=attribute, comparison=">=", value=value)
