"""Whose a row is: for each table but that of the runs, one rule that looks at the row alone.

A table is read whole, page by page: an index by user would cost a write on every write, to be read once in a blue moon.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from urllib.parse import quote

import msgspec

from plinth.adapters.dynamo_rows import Row, Rows, key_of
from plinth.adapters.dynamodb_items import Value
from plinth.adapters.dynamodb_table import Key
from plinth.contracts.erasing import ErasedPage, Extent, Target
from plinth.contracts.memory import DocumentState
from plinth.contracts.tenant import Tenant

PAGE_ROWS = 500


class Fate(Enum):
    """What becomes of a row: it is not the target's, it goes, or it goes later, when something has ended."""

    STAYS = "stays"
    GOES = "goes"
    WAITS = "waits"


Rule = Callable[[Target, Row], Fate]


class ErasableTable:
    """`ErasableStore` of a table whose rows tell by themselves whose they are."""

    def __init__(self, name: str, *, rows: Rows, rule: Rule) -> None:
        self.name = name
        self._rows = rows
        self._rule = rule

    def erase(self, target: Target, after: str | None) -> ErasedPage:
        """Delete the page's rows that go."""
        found, behind = self._rows.page(key_in(after), limit=PAGE_ROWS)
        fates = [(key_of(each), self._rule(target, each)) for each in found]
        removed = self._rows.delete(key for key, fate in fates if fate is Fate.GOES)
        left = sum(fate is Fate.WAITS for _, fate in fates)
        return ErasedPage(removed=removed, left=left, after=text_of(behind))


def key_in(after: str | None) -> Key | None:
    """Return the key that `text_of` wrote."""
    return msgspec.json.decode(after, type=tuple[str, str]) if after else None


def text_of(key: Key | None) -> str | None:
    """Return a key as text."""
    return msgspec.json.encode(key).decode() if key else None


def is_own(tenant: Tenant, row: Row) -> bool:
    """Say whether the row's partition begins with the tenant."""
    return str(row["pk"]).partition("#")[0] == tenant.id


def mentions(value: Value, text: str) -> bool:
    """Say whether a row or a part of it holds the text, in compressed content too."""
    match value:
        case str():
            return text in value
        case bytes():
            return text.encode() in _plain(value)
        case Mapping():
            return any(mentions(each, text) for each in value.values())
        case Sequence():
            return any(mentions(each, text) for each in value)
        case _:
            return False


def conversation_fate(target: Target, row: Row) -> Fate:
    """Let turns, summaries and facts go with tenant and user, and with each document whose text stood before them."""
    if not is_own(target.tenant, row):
        return Fate.STAYS
    match target.extent:
        case Extent.TENANT:
            goes = True
        case Extent.USER:
            goes = str(row["pk"]).split("#")[1] == quote(target.name, safe="")
        case Extent.DOCUMENT:
            goes = mentions(row, target.name)
    return Fate.GOES if goes else Fate.STAYS


def answer_fate(target: Target, row: Row) -> Fate:
    """Let all cached answers of the tenant go, whatever is erased: none says who asked, and each can be made again."""
    return Fate.GOES if is_own(target.tenant, row) else Fate.STAYS


def document_fate(target: Target, row: Row) -> Fate:
    """Let rows go with their tenant; of a document the tombstone stays, which has no name, once it is deleted.

    Why an import of it failed goes with it; the import's own row keeps the counts.
    """
    if not is_own(target.tenant, row):
        return Fate.STAYS
    if target.extent is Extent.TENANT:
        return Fate.GOES
    key, is_document = str(row["sk"]), target.extent is Extent.DOCUMENT
    if is_document and key.startswith("IMPORT#") and key.endswith(f"#{target.name}"):
        return Fate.GOES
    under_way = row.get("hidden_from") is not None and row.get("state") != DocumentState.DELETED
    is_it = is_document and key == f"DOCUMENT#{target.name}"
    return Fate.WAITS if is_it and under_way else Fate.STAYS


def ledger_fate(target: Target, row: Row) -> Fate:
    """Let budgets and reservations go once nothing is held by them: a call that runs must still be settled."""
    if not is_own(target.tenant, row) or target.extent is Extent.DOCUMENT:
        return Fate.STAYS
    if target.extent is Extent.USER and not _names_user(target, row):
        return Fate.STAYS
    return Fate.WAITS if row.get("held") or row.get("open") else Fate.GOES


def _names_user(target: Target, row: Row) -> bool:
    if row["sk"] == f"USER#{target.name}":
        return True
    scopes = row.get("scopes", ())
    spelled = [str(scope).split("#", 2) for scope in scopes] if isinstance(scopes, Sequence) else []
    return any(parts[0] == "user" and parts[2] == target.name for parts in spelled)


def tenant_fate(target: Target, row: Row) -> Fate:
    """Let keys go with their user, and everything with its tenant; the erasure's own row stays for its receipt.

    Exports go whatever is erased: they hold what all users said and all documents, and can be made again.
    """
    own, of_user = row["pk"] == f"TENANT#{target.tenant.id}", target.extent is Extent.USER
    if own and str(row["sk"]).startswith("EXPORT#"):
        return Fate.GOES
    if target.extent is Extent.DOCUMENT:
        return Fate.STAYS
    if row["sk"] == "KEY":
        goes = row.get("tenant") == target.tenant.id and (not of_user or row.get("user") == target.name)
    else:
        goes = own and (not of_user or str(row["sk"]).startswith(f"NAMEDKEY#{target.name}#"))
    return Fate.GOES if goes else Fate.STAYS


def _plain(body: bytes) -> bytes:
    try:
        return zlib.decompress(body)
    except zlib.error:
        return body
