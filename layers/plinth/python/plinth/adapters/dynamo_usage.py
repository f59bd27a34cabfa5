"""Where a user's days are added up: by ADD, in the transaction that ends a run, so that each run counts once.

Rows: `<tenant>#USAGE` / `<day>#<user>#<part>`. A run's id decides its part, so that the runs of a busy user rarely
meet on one row.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import quote, unquote
from zlib import crc32

from plinth.adapters.dynamodb_table import Table, Update
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from plinth.contracts.usage import UserDay

_PARTS = 4
_KEEP_SECONDS = 400 * 86_400
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
