"""What of a row is told to whom it belongs: for each table but that of the runs, one rule that looks at the row alone.

A table is read whole, as an erasure does: a row that does not begin with the tenant is dropped where it is read.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from urllib.parse import unquote

import msgspec

from plinth.adapters.dynamo_rows import Row, Rows
from plinth.adapters.dynamodb_items import row as as_record
from plinth.adapters.dynamodb_items import unpacked
from plinth.adapters.erasable_rows import PAGE_ROWS, is_own, key_in, text_of
from plinth.contracts.access import Tier
from plinth.contracts.conversations import ModelSummary
from plinth.contracts.exporting import ExportedPage, Subject
from plinth.contracts.memory import DocumentState
from plinth.contracts.runs import Turn
from plinth.memory.document_row import DocumentRow, record_of
from plinth.money.budget_rows import BudgetRow
from plinth.ports.clock import Clock

Record = tuple[str, object]
"""The folder that it goes to, and what it says."""
Rule = Callable[[Subject, Row], Record | None]


class ExportableTable:
    """`ExportableStore` of a table whose rows tell by themselves whose they are."""

    def __init__(self, name: str, *, rows: Rows, rule: Rule, clock: Clock) -> None:
        self.name = name
        self._rows = rows
        self._rule = rule
        self._clock = clock

    def export(self, subject: Subject, after: str | None) -> ExportedPage:
        """Return the records of the page's rows that have not expired."""
        found, behind = self._rows.page(key_in(after), limit=PAGE_ROWS)
        now = self._clock.now()
        records: dict[str, list[object]] = {}
        for each in found:
            told = None if has_expired(each, now) else self._rule(subject, each)
            if told is not None:
                records.setdefault(told[0], []).append(told[1])
        return ExportedPage(records=records, after=text_of(behind))


def has_expired(row: Row, now: float) -> bool:
    """Say whether DynamoDB is only late to remove the row."""
    expires_at = row.get("expires_at")
    return isinstance(expires_at, int | float) and expires_at <= now


def is_of(subject: Subject, user: str) -> bool:
    """Say whether what belongs to this user of the tenant is the subject's."""
    return subject.user is None or subject.user == user


class _Fact(msgspec.Struct):
    text: str
    at: float
    run_id: str
    expires_at: int
    documents: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class _Expiring(msgspec.Struct):
    expires_at: int


class _Sync(msgspec.Struct):
    bucket: str
    prefix: str
    pattern: str
    every_seconds: int
    metadata: dict[str, str]


class _Key(msgspec.Struct):
    tenant: str
    user: str
    scopes: tuple[str, ...]
    expires_at: float | None = None
    labels: tuple[str, ...] = ()


class _Tenant(msgspec.Struct):
    tier: Tier


def conversation_record(subject: Subject, row: Row) -> Record | None:
    """Tell turns, summaries of them and facts, without the vectors that they are compared by."""
    if not is_own(subject.tenant, row):
        return None
    parts, (kind, _, name) = str(row["pk"]).split("#"), str(row["sk"]).partition("#")
    user = unquote(parts[1])
    if not is_of(subject, user):
        return None
    body = row.get("body")
    if kind == "TURN" and isinstance(body, bytes):
        kept = replace(unpacked(body, Turn), run_id=name, expires_at=as_record(row, _Expiring).expires_at)
        return "conversations", {"user": user, "conversation": parts[2], **asdict(kept)}
    if kind == "SUMMARY" and isinstance(body, bytes):
        return "summaries", {"user": user, "conversation": parts[2], **asdict(unpacked(body, ModelSummary))}
    if kind == "FACT":
        return "facts", {"user": user, "id": name, **msgspec.structs.asdict(as_record(row, _Fact))}
    return None


def document_record(subject: Subject, row: Row) -> Record | None:
    """Tell every document of the tenant that is not deleted, and its syncs; none of a user: they are the tenant's."""
    kind, _, name = str(row["sk"]).partition("#")
    if not is_own(subject.tenant, row) or subject.user is not None or kind not in ("DOCUMENT", "SYNC"):
        return None
    if kind == "SYNC":
        return "syncs", {"id": name, **msgspec.structs.asdict(as_record(row, _Sync))}
    record = record_of(as_record({"document_id": name, **row}, DocumentRow))
    gone = record.state in (DocumentState.DELETING, DocumentState.DELETED)
    return None if gone else ("document_rows", record)


def budget_record(subject: Subject, row: Row) -> Record | None:
    """Tell limits and what was spent; reservations are on the receipts of their runs."""
    if not is_own(subject.tenant, row) or "#BUDGET" not in str(row["pk"]):
        return None
    kind, _, name = str(row["sk"]).partition("#")
    if subject.user is not None and (kind, name) != ("USER", subject.user):
        return None
    return "budgets", {"of": kind.lower(), "name": name, **msgspec.structs.asdict(as_record(row, BudgetRow))}


def tenant_record(subject: Subject, row: Row) -> Record | None:
    """Tell the tier and whose keys there are, never the hash of a key's secret."""
    if row["sk"] == "TENANT":
        own = row["pk"] == f"TENANT#{subject.tenant.id}" and subject.user is None
        return ("settings", {"tier": as_record(row, _Tenant).tier}) if own else None
    if row["sk"] != "KEY" or row.get("tenant") != subject.tenant.id:
        return None
    key = as_record(row, _Key)
    told = {"id": str(row["pk"]).removeprefix("KEY#"), **msgspec.structs.asdict(key)}
    return ("keys", told) if is_of(subject, key.user) else None
