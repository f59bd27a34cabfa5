"""Which index is searched, tenant by tenant, and the reindex that changes it."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from plinth.contracts.indexes import TenantIndexes
from plinth.contracts.reindexing import FilledDocument, Reindex
from plinth.contracts.tenant import Tenant


class Indexes(Protocol):
    """The pointers. Each is changed by one conditional write: a reader sees the old indexes or the new ones."""

    def all(self) -> Iterator[tuple[Tenant, TenantIndexes]]:
        """Yield every tenant that has published anything, with its indexes."""
        ...

    def known(self, tenant: Tenant) -> TenantIndexes | None:
        """Return the tenant's indexes, None before it has published anything."""
        ...

    def first(self) -> TenantIndexes:
        """Return where a tenant's first passages go."""
        ...

    def change(self, tenant: Tenant, before: TenantIndexes, after: TenantIndexes) -> bool:
        """Change the tenant's indexes; False where they are not `before` any more."""
        ...

    def reindex(self) -> Reindex | None:
        """Return the reindex that runs, or the last one."""
        ...

    def save(self, reindex: Reindex) -> Reindex:
        """Write the reindex, one revision on; `StoreUnavailableError` where somebody wrote it meanwhile."""
        ...


class FillLists(Protocol):
    """Where the machine reads what a round has to fill."""

    def put(self, reindex: Reindex, documents: Sequence[FilledDocument]) -> None:
        """Keep the list of the reindex's round."""
        ...

    def key(self, reindex: Reindex) -> str:
        """Return the list's key within the work bucket."""
        ...
