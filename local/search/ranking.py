"""Which hits are on the page and in what order: by score, or by the values of keyword and number fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from local.search.clauses import Matches
from local.search.errors import parsing_error
from local.search.mapping import is_object
from local.search.shard import Shard

Json = dict[str, object]


@dataclass(frozen=True)
class SortKey:
    """One field to sort by, or `_score`."""

    field: str
    descending: bool


def read_sort(sort: str | Json | Sequence[str | Json]) -> tuple[SortKey, ...]:
    """Return the sort keys of a search body, none if they only ask for the usual order; raises SearchRequestError."""
    given = [sort] if isinstance(sort, str) or is_object(sort) else sort
    keys = tuple(_read_key(one) for one in given)
    return () if keys == (SortKey("_score", descending=True),) else keys


def _read_key(given: str | Json) -> SortKey:
    if isinstance(given, str):
        return SortKey(given, descending=given == "_score")
    if len(given) == 1:
        ((name, order),) = given.items()
        if is_object(order) and set(order) == {"order"}:
            order = order["order"]
        if order in ("asc", "desc"):
            return SortKey(name, descending=order == "desc")
    raise parsing_error(f"[sort] takes a field, or one field with the order asc or desc, not [{given}]")


def best_rows(matches: Matches, limit: int) -> list[int]:
    """Return the `limit` rows with the highest scores; equal scores go to the earlier row."""
    rows = np.flatnonzero(matches[0])
    scores = matches[1][rows]
    if len(rows) > limit > 0:
        least = np.partition(scores, len(rows) - limit)[len(rows) - limit]
        rows, scores = rows[scores >= least], scores[scores >= least]
    best: list[int] = rows[np.argsort(-scores, kind="stable")[:limit]].tolist()
    return best


def sorted_rows(shard: Shard, matches: Matches, keys: Sequence[SortKey], limit: int) -> list[int]:
    """Return the first `limit` rows by the sort keys; rows without a value come last, ties as written."""
    rows: list[int] = np.flatnonzero(matches[0]).tolist()
    for key in reversed(keys):
        values = {row: sort_value(shard, matches, key, row) for row in rows}
        filled = [row for row in rows if values[row] is not None]
        filled.sort(key=lambda row: values[row] or 0, reverse=key.descending)
        rows = filled + [row for row in rows if values[row] is None]
    return rows[:limit]


def sort_value(shard: Shard, matches: Matches, key: SortKey, row: int) -> str | int | float | None:
    """Return the value that a row is sorted by: the lowest of several when ascending, else the highest."""
    if key.field == "_score":
        return float(matches[1][row])
    values: Mapping[int, Sequence[str | int]]
    values = shard.keywords[key.field].values if key.field in shard.keywords else shard.numbers[key.field].values
    held = values.get(row)
    return None if held is None else held[-1 if key.descending else 0]
