"""How reindexes are kept in DynamoDB: row REINDEX (pk `#INDEXES`), whose `revision` counts the writes."""

from collections.abc import Iterator
from dataclasses import asdict, replace

from plinth.adapters.dynamo_corpus import REINDEX, DynamoCorpus
from plinth.adapters.dynamodb_table import ConditionFailedError, Put, Table
from plinth.contracts.indexes import TenantIndexes
from plinth.contracts.reindexing import Reindex
from plinth.contracts.tenant import Tenant
from plinth.errors import StoreUnavailableError


class DynamoIndexes:
    """`Indexes` in the table of documents."""

    def __init__(self, *, table: Table, first_index: str) -> None:
        self._table = table
        self._corpus = DynamoCorpus(table=table, first_index=first_index)

    def all(self) -> Iterator[tuple[Tenant, TenantIndexes]]:
        """Read the whole table."""
        return self._corpus.all()

    def known(self, tenant: Tenant) -> TenantIndexes | None:
        """Return what the tenant's row says."""
        return self._corpus.known(tenant)

    def first(self) -> TenantIndexes:
        """Return where a tenant's first passages go."""
        return self._corpus.first()

    def change(self, tenant: Tenant, before: TenantIndexes, after: TenantIndexes) -> bool:
        """Change the tenant's row in one conditional write."""
        return self._corpus.change(tenant, before, after)

    def reindex(self) -> Reindex | None:
        """Return the row as it is now."""
        return self._corpus.reindex()

    def save(self, reindex: Reindex) -> Reindex:
        """Write the row if it has the revision that the reindex was read with."""
        saved = replace(reindex, revision=reindex.revision + 1)
        put = Put(
            key=REINDEX,
            item=asdict(saved),
            condition="#revision = :revision" if reindex.revision else "attribute_not_exists(#revision)",
            values={":revision": reindex.revision} if reindex.revision else {},
        )
        try:
            self._table.write(put)
        except ConditionFailedError as error:
            raise StoreUnavailableError("somebody else has changed the reindex: try again") from error
        return saved
