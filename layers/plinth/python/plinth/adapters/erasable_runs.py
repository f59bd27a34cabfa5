"""Which runs go: those of a user, those that a document's text went into, or all; each whole, its own row last.

A run that has not ended is left until it has: its steps still need its rows, and would write them again.
"""

from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from plinth.adapters.dynamo_rows import Row, Rows, key_of
from plinth.adapters.dynamo_usage import ERASED_USER
from plinth.adapters.dynamodb_items import row as as_record
from plinth.adapters.dynamodb_items import unpacked
from plinth.adapters.dynamodb_table import Key, Table
from plinth.adapters.erasable_rows import PAGE_ROWS, is_own, key_in, mentions, text_of
from plinth.contracts.erasing import ErasedPage, Extent, Target
from plinth.contracts.runs import RunRequest

_RUN = "RUN"


class _KeyRow(msgspec.Struct):
    run_id: str


class ErasableRuns:
    """`ErasableStore` of the table of runs, their logs, contents, idempotency keys and users' days."""

    name = "runs"

    def __init__(self, *, table: Table, rows: Rows) -> None:
        self._table = table
        self._rows = rows

    def erase(self, target: Target, after: str | None) -> ErasedPage:
        """Erase the runs that the page's rows tell of, then what hangs on them."""
        found, behind = self._rows.page(key_in(after), limit=PAGE_ROWS)
        own = [each for each in found if is_own(target.tenant, each)]
        removed = left = 0
        for pk in dict.fromkeys(str(each["pk"]) for each in own if _tells(target, each)):
            gone = self._erase_run(pk, target)
            removed, left = removed + (gone or 0), left + (gone is None)
        removed += self._erase_keys(target, own) + self._erase_days(target, own)
        return ErasedPage(removed=removed, left=left, after=text_of(behind))

    def _erase_run(self, pk: str, target: Target) -> int | None:
        """Delete a run's rows and return how many those were, or None where it has not ended."""
        rows = list(self._rows.partition(pk))
        run = next((each for each in rows if each["sk"] == _RUN), None)
        if run is not None and "open" in run:
            return None
        if not any(_concerns(target, each) for each in rows):
            return 0
        told = [each for each in rows if each["sk"] != _RUN and _tells(target, each)]
        plain = [each for each in rows if each["sk"] != _RUN and each not in told]
        return self._rows.delete(key_of(each) for each in (*plain, *told, *([run] if run else [])))

    def _erase_keys(self, target: Target, own: Sequence[Row]) -> int:
        """Delete the idempotency keys of the tenant, or those whose run is gone."""
        keys = {key_of(each): _run_key(target, each) for each in own if _is_key(each)}
        if target.extent is not Extent.TENANT:
            there = {key_of(each) for each in self._table.get_many(keys.values())}
            keys = {key: run for key, run in keys.items() if run not in there}
        return self._rows.delete(keys)

    def _erase_days(self, target: Target, own: Sequence[Row]) -> int:
        """Delete the tenant's days; those of a user are added to nobody's, since the tenant's own sums must stay."""
        days = [each for each in own if each["pk"] == f"{target.tenant.id}#USAGE"]
        if target.extent is Extent.TENANT:
            return self._rows.delete(map(key_of, days))
        if target.extent is Extent.DOCUMENT:
            return 0
        named = [(day, str(day["sk"]).split("#")) for day in days]
        of_user = [(day, parts) for day, parts in named if parts[1] == quote(target.name, safe="")]
        return sum(self._rows.add_onto(day, sk=f"{parts[0]}#{ERASED_USER}#{parts[2]}") for day, parts in of_user)


def _tells(target: Target, row: Row) -> bool:
    """Say whether the row tells that its run may be the target's, or that it is open and so may become so."""
    if _is_key(row) or str(row["pk"]).endswith("#USAGE"):
        return False
    return _concerns(target, row) or ("open" in row and _was_there(target, row))


def _concerns(target: Target, row: Row) -> bool:
    match target.extent:
        case Extent.TENANT:
            return True
        case Extent.USER:
            return row.get("user") == target.name or _asked_by(row) == target.name
        case Extent.DOCUMENT:
            return mentions(row, target.name)


def _was_there(target: Target, row: Row) -> bool:
    created_at = row.get("created_at")
    return isinstance(created_at, int | float) and created_at <= target.began_at


def _asked_by(row: Row) -> str | None:
    request = row.get("request")
    return unpacked(request, RunRequest).user if row["sk"] == _RUN and isinstance(request, bytes) else None


def _is_key(row: Row) -> bool:
    return row["sk"] == "REQUEST"


def _run_key(target: Target, row: Row) -> Key:
    return f"{target.tenant.id}#{as_record(row, _KeyRow).run_id}", _RUN
