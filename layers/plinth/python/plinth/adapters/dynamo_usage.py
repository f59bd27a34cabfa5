"""Where a user's days are added up: by ADD, in the transaction that ends a run, so that each run counts once.

Rows: `<tenant>#USAGE` / `<day>#<user>#<part>`. A run's id decides its part, so that the runs of a busy user rarely
meet on one row.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import quote, unquote
from zlib import crc32

from plinth.adapters.dynamodb_table import ConditionFailedError, Put, Table, Update
from plinth.contracts.runs import ModelCost, Run
from plinth.contracts.tenant import Tenant
from plinth.contracts.usage import UserDay
from plinth.money.usage import usage_of_contexts

_PARTS = 4
_KEEP_SECONDS = 400 * 86_400
_KEEP_COUNTED_SECONDS = 30 * 86_400
_BUCKET = "(bucket)"
ERASED_USER = quote("(erased)", safe="")
"""Who a day's amounts belong to after their user was erased, as the key spells it."""
_ROW = frozenset({"pk", "sk", "expires_at"})


class DynamoUsage:
    """`UsageBook` in the table of the runs."""

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def days(self, tenant: Tenant, *, first: str, last: str) -> Iterator[UserDay]:
        """Yield the rows from the first day to the last, both included."""
        for item in self._table.query(_pk(tenant), first=f"{first}#", last=f"{last}#~"):
            day, user, _ = str(item["sk"]).split("#")
            amounts = {name: amount for name, amount in item.items() if name not in _ROW and isinstance(amount, int)}
            yield UserDay(day=day, user=unquote(user), amounts=amounts)

    def count_calls(self, run: Run, user: str, calls: Sequence[ModelCost], *, at: float) -> None:
        """Add the calls, together with a row that says so, of which there is one."""
        counted = Put(
            key=(f"{run.tenant.id}#{run.id}", "COUNTED"),
            item={"counted": run.id, "user": user, "expires_at": int(at) + _KEEP_COUNTED_SECONDS},
            condition="attribute_not_exists(pk)",
        )
        used = usage_of_contexts(calls)
        with suppress(ConditionFailedError):
            self._table.transact(counted, *([usage_update(run, user or _BUCKET, used, at)] if used else []))


def usage_update(run: Run, user: str, used: Mapping[str, int], at: float) -> Update:
    """Return the write that adds what a run used to its user's day, at Unix time `at`."""
    day = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
    part = crc32(run.id.encode()) % _PARTS
    return Update(
        key=(_pk(run.tenant), f"{day}#{quote(user, safe='')}#{part}"),
        change="SET #expires_at = :expires_at",
        values={":expires_at": int(at) + _KEEP_SECONDS},
        add=used,
    )


def _pk(tenant: Tenant) -> str:
    return f"{tenant.id}#USAGE"
