"""Syncs of other buckets: their rows, the objects that they read, and what begins a pass."""

from collections.abc import Iterator
from typing import Protocol

from plinth.contracts.importing import ImportedFile, SyncedObject
from plinth.contracts.syncs import LastPass, ListedObject, ObjectFacts, Permission, Removal, Sync
from plinth.contracts.tenant import Tenant


class Syncs(Protocol):
    """The rows of syncs, and which documents each brought, by their ids alone."""

    def save(self, sync: Sync) -> Sync:
        """Write down what is synced, in place of what was; how its last pass went stays. Return it."""
        ...

    def get(self, tenant: Tenant, sync_id: str) -> Sync:
        """Return the sync, or raise `NotFoundError`."""
        ...

    def of(self, tenant: Tenant) -> list[Sync]:
        """Return the tenant's syncs."""
        ...

    def note(self, sync: Sync, last: LastPass, *, due_at: float) -> None:
        """Write down how a pass went, unless the sync is gone; and when the next is due, unless that was set since."""
        ...

    def remove(self, sync: Sync, removal: Removal) -> None:
        """Let the next pass give up every document of the sync, and place none any more."""
        ...

    def drop(self, sync: Sync) -> None:
        """Forget the sync."""
        ...

    def end_removal(self, sync: Sync) -> None:
        """Forget the sync whose removal is carried out, unless something else was decided since."""
        ...

    def brought(self, sync: Sync) -> dict[str, str]:
        """Return the fingerprint of each document that the sync brought, by id."""
        ...

    def bring(self, tenant: Tenant, document_id: str, source: SyncedObject) -> None:
        """Note that the sync brought this version of the document."""
        ...

    def intend(self, tenant: Tenant, document_id: str, source: SyncedObject) -> None:
        """Note that the sync may have brought the document, in a version that nobody knows.

        That lasts some days, where nothing of the document was noted before.
        """
        ...

    def release(self, sync: Sync, document_id: str) -> None:
        """Forget that the sync brought the document."""
        ...


class SyncedObjects(Protocol):
    """The objects of other buckets, and their copies in the bucket of documents.

    A bucket that can't be read is a `SourceUnreadableError`, an object that can't a `DocumentRefusedError`.
    """

    def listed(self, bucket: str, prefix: str) -> Iterator[ListedObject]:
        """Yield every object under the prefix; raise where the listing is not whole."""
        ...

    def describe(self, source: SyncedObject) -> ObjectFacts:
        """Return what else this version of the object says."""
        ...

    def owner(self, tenant: Tenant, name: str) -> str | None:
        """Return the sync that the document's current object is a copy of, "" for none, None without an object."""
        ...

    def place(self, tenant: Tenant, file: ImportedFile) -> None:
        """Copy this version of the object into the bucket of documents, with the file's type and metadata."""
        ...

    def withdraw(self, tenant: Tenant, name: str, sync_id: str) -> bool:
        """Delete the document's object, which the bucket announces; False where it is no copy of this sync."""
        ...


class Passes(Protocol):
    """What begins passes that nobody waits for."""

    def begin(self, sync_id: str, *, permission: Permission | None = None) -> None:
        """Begin a pass now, which may make the deletions that are permitted."""
        ...
