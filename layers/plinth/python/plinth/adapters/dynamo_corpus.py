"""How a tenant's corpus is kept in DynamoDB: its version, and which indexes hold its passages.

Row CORPUS (pk `<tenant>`) is written in the transaction that publishes a document, so that a document is published
only in the indexes that the tenant has at that moment. Row REINDEX (pk `#INDEXES`, which is no tenant's id) says where
a tenant without any passage begins.
"""

from collections.abc import Iterator

import msgspec

from plinth.adapters.dynamodb_items import Value, row
from plinth.adapters.dynamodb_table import ConditionFailedError, Key, Table, Update
from plinth.contracts.indexes import Corpus, TenantIndexes
from plinth.contracts.reindexing import Reindex
from plinth.contracts.tenant import Tenant
from plinth.memory.reindexes import first_indexes

REINDEX: Key = ("#INDEXES", "REINDEX")
_SAME = "#live_index = :live AND #other_index = :other"
_SET = "SET #live_index = :live, #other_index = :other"


class _CorpusRow(msgspec.Struct):
    version: int = 0
    live_index: str = ""
    other_index: str = ""


class DynamoCorpus:
    """The rows CORPUS of one table. Before the first reindex, a tenant begins in `first_index`."""

    def __init__(self, *, table: Table, first_index: str) -> None:
        self._table = table
        self._first_index = first_index

    def version(self, tenant: Tenant) -> int:
        """Return 0 before the first change."""
        return self._row(tenant).version

    def of(self, tenant: Tenant) -> Corpus:
        """Return the tenant's corpus; one more read, until something was published."""
        found = self._row(tenant)
        return Corpus(version=found.version, indexes=_indexes(found) if found.live_index else self.first())

    def all(self) -> Iterator[tuple[Tenant, TenantIndexes]]:
        """Yield the tenants that have published anything; reads the whole table."""
        for item in self._table.scan(sk="CORPUS"):
            found = row(item, _CorpusRow)
            if found.live_index:
                yield Tenant(id=str(item["pk"])), _indexes(found)

    def known(self, tenant: Tenant) -> TenantIndexes | None:
        """Return the indexes that the tenant's row names, None before anything was published."""
        found = self._row(tenant)
        return _indexes(found) if found.live_index else None

    def first(self) -> TenantIndexes:
        """Return where a tenant's first passage goes."""
        reindex = self.reindex()
        return first_indexes(reindex) if reindex else TenantIndexes(live=self._first_index)

    def reindex(self) -> Reindex | None:
        """Return the environment's reindex, or its last one."""
        found = self._table.get(REINDEX)
        return row(found, Reindex) if found else None

    def change(self, tenant: Tenant, before: TenantIndexes, after: TenantIndexes) -> bool:
        """Change the tenant's indexes in one write; False where they were others before."""
        values = {**_values(after), ":was": before.live, ":beside": before.other or ""}
        condition = "#live_index = :was AND #other_index = :beside"
        try:
            self._table.write(Update(key=_key(tenant), change=_SET, condition=condition, values=values))
        except ConditionFailedError:
            return False
        return True

    def _row(self, tenant: Tenant) -> _CorpusRow:
        found = self._table.get(_key(tenant))
        return row(found, _CorpusRow) if found else _CorpusRow()


def raised(tenant: Tenant) -> Update:
    """Return the write that raises the version."""
    return Update(key=_key(tenant), change="ADD #version :one", values={":one": 1})


def raised_within(tenant: Tenant, indexes: TenantIndexes) -> Update:
    """Return the write that raises the version if the tenant's indexes are these; a tenant's first write sets them."""
    return Update(
        key=_key(tenant),
        change=f"{_SET} ADD #version :one",
        condition=f"attribute_not_exists(#live_index) OR ({_SAME})",
        values={**_values(indexes), ":one": 1},
    )


def _indexes(found: _CorpusRow) -> TenantIndexes:
    return TenantIndexes(live=found.live_index, other=found.other_index or None)


def _values(indexes: TenantIndexes) -> dict[str, Value]:
    return {":live": indexes.live, ":other": indexes.other or ""}


def _key(tenant: Tenant) -> Key:
    return tenant.id, "CORPUS"
