"""How a budget that many callers want at once is split, so that they need not wait for one row.

A part borrows a lot from the whole, for which what is lent is held; calls hold and spend from the part alone. In a part
avail + held + spent = what it was lent, and the whole's `lent` is the sum of that over its parts. Limits and windows
stay with the whole. A part is good for the day and the limits that it was lent under; to go on it borrows anew, which
tells the whole what was spent. Near the limit nothing is lent, and before anyone is refused all is called in.
"""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from plinth.contracts.money import Budget, Scope
from plinth.errors import StoreUnavailableError
from plinth.money.budget_rows import BudgetRow, at_least, budget_key, budget_row, equals, whole
from plinth.money.ledger_changes import ROUNDS, Change, Condition, Row, Steps, Value, record_of

PARTS = range(1, 9)
"""The parts that a split budget may have."""

_LOT = 16  # a part borrows for this many calls like the one that asks, so that the whole is met once for that many
_PLENTY = 8 * _LOT  # the whole lends only while it has this many left, so that no part strands what others need


class PartRow(msgspec.Struct, frozen=True):
    """A part's row as stored. `day` and `revision` are those of the whole when it was lent."""

    day: str
    revision: int
    avail: int
    held: int
    spent: int


def part_row(row: Row) -> PartRow:
    """Return the stored row as a record."""
    return record_of(row, PartRow)


def joined(row: BudgetRow, parts: Sequence[PartRow]) -> BudgetRow:
    """Return the whole as if it had never been split."""
    return _returned(row, sum(part.avail for part in parts), sum(part.spent for part in parts))


def borrow(part: Budget, old: Row, amount: int, day: str) -> Steps[Row | None]:
    """Lend a part, met as `old`, its next lot, and tell the whole what it spent.

    Return the whole's row ({}: there is none) if the whole can't lend now, otherwise None: try the part again.
    """
    row = part_row(old) if old else None
    told = row.spent if row else 0
    plenty = (at_least(f"{window}_avail", _PLENTY * amount) for window in ("day", "month"))
    lends = replace(
        _called_in(part.scope, -_LOT * amount, told),
        where=(equals("day", day), at_least("revision", part.revision), *plenty),
    )
    met = yield (lends, _lent(part, row, _LOT * amount, day))
    return None if met is None else met[0]


def call_in(budget: Budget, row: BudgetRow) -> Steps[BudgetRow]:
    """Bring what no call holds in the parts back to the whole, met as `row`, and return it as it then stands.

    The transaction that brings it back verifies all parts and the whole at once, so a refusal may rest on it.
    """
    parts = dict.fromkeys(PARTS, (0, 0))
    for _ in range(ROUNDS):
        free, spent = sum(each for each, _ in parts.values()), sum(each for _, each in parts.values())
        as_met = tuple(equals(name, getattr(row, name)) for name in ("day", "day_avail", "month_avail"))
        takes = replace(_called_in(budget.scope, free, spent), where=as_met)
        met = yield (takes, *(_given_back(budget.scope, number, *amounts) for number, amounts in parts.items()))
        if met is None:
            return _returned(row, free, spent)
        row = budget_row(met[0]) if met[0] else row
        parts = {
            number: (part_row(old).avail, part_row(old).spent) if old else parts[number]
            for number, old in zip(parts, met[1:], strict=True)
            if old != {}
        }
    raise StoreUnavailableError("the ledger's rows kept changing: try again later")


def _lent(part: Budget, row: PartRow | None, lot: int, day: str) -> Change:
    key = budget_key(part.scope)
    if row is None:
        put: dict[str, Value] = {"day": day, "revision": part.revision, "avail": lot, "held": 0, "spent": 0}
        return Change(key=key, where=(Condition(attribute="day", comparison="absent"),), put=put)
    return Change(
        key=key,
        where=(equals("day", row.day), at_least("spent", row.spent)),
        put={"day": day, "revision": max(row.revision, part.revision)},
        add={"avail": lot, "spent": -row.spent},
    )


def _called_in(scope: Scope, free: int, spent: int) -> Change:
    """Let the whole have what was free in parts, and know what was spent there; to lend is to call in less than 0."""
    add = {"held": -free - spent, "lent": -free - spent}
    for window in ("day", "month"):
        add |= {f"{window}_avail": free, f"{window}_spent": spent}
    return Change(key=budget_key(whole(scope)), where=(), add=add)


def _given_back(scope: Scope, number: int, free: int, spent: int) -> Change:
    return Change(
        key=budget_key(replace(scope, part=number)),
        where=(equals("avail", free), equals("spent", spent)),
        add={"avail": -free, "spent": -spent},
    )


def _returned(row: BudgetRow, free: int, spent: int) -> BudgetRow:
    return msgspec.structs.replace(
        row,
        held=row.held - free - spent,
        lent=row.lent - free - spent,
        day_avail=row.day_avail + free,
        day_spent=row.day_spent + spent,
        month_avail=row.month_avail + free,
        month_spent=row.month_spent + spent,
    )
