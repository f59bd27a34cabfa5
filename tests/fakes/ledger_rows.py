"""The ledger's rows in memory: the same conditional transactions, under a lock."""

import operator
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any

from plinth.money.ledger_changes import Change, Condition, Met, Row, RowKey, Transaction

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
}


class FakeLedgerRows:
    """`LedgerRows` in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[RowKey, dict[str, Any]] = {}
        self._lock = Lock()

    def apply(self, transaction: Transaction, *, conflicts: int | None = None) -> Met:
        with self._lock:
            met = tuple(self._failed_by(change) for change in transaction)
            if any(old is not None for old in met):
                return met
            for change in transaction:
                self._make(change)
        return None

    def get_many(self, keys: Iterable[RowKey]) -> dict[RowKey, Row]:
        with self._lock:
            return {key: dict(self.rows[key]) for key in keys if key in self.rows}

    def calls(self, pk: str) -> list[Row]:
        return [dict(row) for (owner, _), row in sorted(self.rows.items()) if owner == pk]

    def lapsed(self, shard: str, *, now: float, limit: int) -> list[RowKey]:
        with self._lock:
            open_ones = [(row["lapses_at"], key) for key, row in self.rows.items() if row.get("open") == shard]
        return [key for at, key in sorted(open_ones) if at <= int(now)][:limit]

    def _failed_by(self, change: Change) -> Row | None:
        row = self.rows.get(change.key, {})
        return None if all(holds(condition, row) for condition in change.where) else dict(row)

    def _make(self, change: Change) -> None:
        row = self.rows.setdefault(change.key, {})
        added = {name: row[name] + amount for name, amount in change.add.items()}
        row.update(change.put, **added)
        for name in change.drop:
            row.pop(name, None)


def holds(condition: Condition, row: Mapping[str, Any]) -> bool:
    """Return whether a row has what a condition asks for."""
    if condition.comparison == "absent":
        return condition.attribute not in row
    if condition.attribute not in row:
        return False
    return COMPARISONS[condition.comparison](row[condition.attribute], condition.value)
