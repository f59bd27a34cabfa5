"""Which passages go: a document's up to its deletion, or all of a tenant's."""

from plinth.contracts.erasing import ErasedPage, Extent, Target
from plinth.contracts.memory import DocumentVersion
from plinth.contracts.tenant import Tenant
from plinth.memory.naming import object_key
from plinth.ports.documents import Documents, Memories, Memory


class ErasableIndex:
    """`ErasableStore` of the search engine."""

    name = "passages"

    def __init__(self, memory: Memories, documents: Documents) -> None:
        self._memory = memory
        self._documents = documents

    def erase(self, target: Target, after: str | None) -> ErasedPage:
        """Delete as many passages as one request can; more of them are the next page, which begins anew."""
        del after
        if target.extent is Extent.TENANT:
            removed = sum(memory.remove_tenant(target.tenant) for memory in self._held(target.tenant))
            return ErasedPage(removed=removed, after="more" if removed else None)
        through = self._documents.erased_through(target.tenant, target.name)
        if through is None:
            return ErasedPage(left=1)
        if not through:
            return ErasedPage(removed=0)
        document = _version(target, through)
        return ErasedPage(removed=sum(memory.remove_through(document) for memory in self._held(target.tenant)))

    def _held(self, tenant: Tenant) -> list[Memory]:
        return [self._memory.named(index) for index in self._documents.corpus(tenant).indexes.all]


def _version(target: Target, sequence: str) -> DocumentVersion:
    return DocumentVersion(
        tenant=target.tenant,
        document_id=target.name,
        name=target.object_name,
        object_key=object_key(target.tenant, target.object_name),
        version_id=None,
        sequence=sequence,
        size_bytes=0,
    )
