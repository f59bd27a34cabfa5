"""The pointers of indexes in memory, over the fake rows of documents; and the lists of a reindex."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from plinth.contracts.indexes import TenantIndexes
from plinth.contracts.reindexing import FilledDocument, Reindex
from plinth.contracts.tenant import Tenant
from plinth.errors import StoreUnavailableError
from plinth.memory.reindexes import first_indexes
from tests.fakes.documents import FakeDocuments


class FakeIndexes:
    """`Indexes` of the tenants of `documents`."""

    def __init__(self, documents: FakeDocuments) -> None:
        self._documents = documents
        self.row: Reindex | None = None

    def all(self) -> Iterator[tuple[Tenant, TenantIndexes]]:
        return iter(list(self._documents.indexes.items()))

    def known(self, tenant: Tenant) -> TenantIndexes | None:
        return self._documents.indexes.get(tenant)

    def first(self) -> TenantIndexes:
        return self._documents.first

    def change(self, tenant: Tenant, before: TenantIndexes, after: TenantIndexes) -> bool:
        if self._documents.indexes.get(tenant) != before:
            return False
        self._documents.indexes[tenant] = after
        return True

    def reindex(self) -> Reindex | None:
        return self.row

    def save(self, reindex: Reindex) -> Reindex:
        if reindex.revision != (self.row.revision if self.row else 0):
            raise StoreUnavailableError("somebody else has changed the reindex: try again")
        self.row = replace(reindex, revision=reindex.revision + 1)
        self._documents.first = first_indexes(self.row)
        return self.row


class FakeFillLists:
    """`FillLists` that can be read."""

    def __init__(self) -> None:
        self.lists: dict[str, list[FilledDocument]] = {}

    def put(self, reindex: Reindex, documents: Sequence[FilledDocument]) -> None:
        self.lists[self.key(reindex)] = list(documents)

    def key(self, reindex: Reindex) -> str:
        return f"_reindexes/{reindex.number}/{reindex.round}.json"
