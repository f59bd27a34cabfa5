"""Which passages go: a document's up to its deletion, or all of a tenant's."""

from plinth.contracts.erasing import ErasedPage, Extent, Target
from plinth.contracts.memory import DocumentVersion
from plinth.memory.naming import object_key
from plinth.ports.documents import Documents, Memory


class ErasableIndex:
    """`ErasableStore` of the search engine."""

    name = "passages"

    def __init__(self, memory: Memory, documents: Documents) -> None:
        self._memory = memory
        self._documents = documents

    def erase(self, target: Target, after: str | None) -> ErasedPage:
        """Delete as many passages as one request can; more of them are the next page, which begins anew."""
        del after
        if target.extent is Extent.TENANT:
            removed = self._memory.remove_tenant(target.tenant)
            return ErasedPage(removed=removed, after="more" if removed else None)
        through = self._documents.erased_through(target.tenant, target.name)
        if through is None:
            return ErasedPage(left=1)
        return ErasedPage(removed=self._memory.remove_through(_version(target, through)) if through else 0)


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
