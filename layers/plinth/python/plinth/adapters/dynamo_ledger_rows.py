"""How the ledger's changes become DynamoDB's: one update where one row changes, otherwise one transaction."""

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from plinth.adapters.dynamodb_items import Value
from plinth.adapters.dynamodb_table import ConditionFailedError, ConflictsError, Table, Update
from plinth.adapters.open_rows import OPEN
from plinth.money.ledger_changes import Change, Condition, Met, Row, RowKey, RowsBusyError, Transaction


class DynamoLedgerRows:
    """`LedgerRows` in one table."""

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def apply(self, transaction: Transaction, *, conflicts: int | None = None) -> Met:
        """Make all changes or none; conflicts with other transactions are tried again by the table.

        With `conflicts`, `RowsBusyError` is raised once a transaction met as many.
        """
        updates = [_update(change) for change in transaction]
        try:
            if len(updates) == 1:
                self._table.write(updates[0])
            else:
                self._table.transact(*updates, conflicts=conflicts)
        except ConditionFailedError as failed:
            return tuple(cast("list[Row | None]", failed.old))
        except ConflictsError as busy:
            raise RowsBusyError(frozenset(transaction[place].key for place in busy.places)) from busy
        return None

    def get_many(self, keys: Iterable[RowKey]) -> dict[RowKey, Row]:
        """Return the rows that exist, as they are now."""
        found = cast("list[Row]", self._table.get_many(keys))
        return {(str(row["pk"]), str(row["sk"])): row for row in found}

    def calls(self, pk: str) -> list[Row]:
        """Return the rows of a run's calls, in order."""
        return cast("list[Row]", list(self._table.query(pk, first="CALL#", last="CALL#~")))

    def lapsed(self, shard: str, *, now: float, limit: int) -> list[RowKey]:
        """Return keys of open reservations whose time is over, the oldest first."""
        return self._table.keys_in(OPEN, shard, at_most=int(now), limit=limit)


def _update(change: Change) -> Update:
    puts = [f"#{name} = :put_{name}" for name in change.put]
    adds = [f"#{name} = #{name} + :add_{name}" for name in change.add]
    drops = f" REMOVE {', '.join(f'#{name}' for name in change.drop)}" if change.drop else ""
    values: dict[str, Value] = {f":put_{name}": value for name, value in change.put.items()}
    values |= {f":add_{name}": amount for name, amount in change.add.items()}
    conditions = list(_conditions(change.where))
    return Update(
        key=change.key,
        change=f"SET {', '.join((*puts, *adds))}{drops}",
        condition=" AND ".join(text for text, _ in conditions),
        values=values | dict(value for _, each in conditions for value in each.items()),
    )


def _conditions(where: Iterable[Condition]) -> Iterator[tuple[str, Mapping[str, Value]]]:
    for number, condition in enumerate(where):
        if condition.comparison == "absent":
            yield f"attribute_not_exists(#{condition.attribute})", {}
        else:
            yield f"#{condition.attribute} {condition.comparison} :if_{number}", {f":if_{number}": condition.value}
