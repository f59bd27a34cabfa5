"""How a ledger's step is said without a store: changes of rows, each under conditions, all or none of them made."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import msgspec

from plinth.errors import RecordUnreadableError

Result = TypeVar("Result")
Record = TypeVar("Record")

RowKey = tuple[str, str]
Value = str | int | list[str]
Row = Mapping[str, Value]
Comparison = Literal["=", ">", ">=", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What an attribute must be. One that is missing is only `absent`, which ignores `value`."""

    attribute: str
    comparison: Comparison
    value: str | int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row's change. A row that is missing is made; `add` is for attributes that are there."""

    key: RowKey
    where: tuple[Condition, ...]
    put: Mapping[str, Value] = field(default_factory=dict[str, Value])
    add: Mapping[str, int] = field(default_factory=dict[str, int])
    drop: tuple[str, ...] = ()


def record_of(row: Row, kind: type[Record]) -> Record:
    """Return the stored row as the record `kind`, or raise `RecordUnreadableError`."""
    try:
        return msgspec.convert(row, kind)
    except msgspec.ValidationError as error:
        raise RecordUnreadableError("a row of the ledger can't be read") from error


class RowsBusyError(Exception):
    """Others kept changing the rows of these keys; nothing was written."""

    def __init__(self, keys: frozenset[RowKey]) -> None:
        super().__init__("rows are busy")
        self.keys = keys


ROUNDS = 20
"""How often a protocol adapts to the rows it meets: each round is lost to another caller who got on."""

Transaction = tuple[Change, ...]
Met = tuple[Row | None, ...] | None
"""None where all changes were made; otherwise, per change, the row that failed its conditions ({}: no such row)."""

Steps = Generator[Transaction, Met, Result]
"""A protocol: it yields one transaction at a time, is sent what it met, and returns its result."""
