"""Syncs, and the buckets that they read, in memory."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from plinth.adapters.dynamo_syncs import INTENDED_SECONDS
from plinth.contracts.importing import ImportedFile, SyncedObject
from plinth.contracts.memory import CurrentObject
from plinth.contracts.syncs import LastPass, ListedObject, ObjectFacts, Permission, Removal, Sync
from plinth.contracts.tenant import Tenant
from plinth.errors import DocumentRefusedError, NotFoundError, SourceUnreadableError
from plinth.memory.tagging import OWN_MARK
from plinth.ports.clock import Clock


class FakeSyncs:
    """`Syncs` in dictionaries."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._intended: dict[tuple[Tenant, str, str], float] = {}
        self._syncs: dict[tuple[Tenant, str], Sync] = {}
        self._brought: dict[tuple[Tenant, str], dict[str, str]] = {}

    def save(self, sync: Sync) -> Sync:
        known = self._syncs.get((sync.tenant, sync.id))
        self._syncs[sync.tenant, sync.id] = replace(sync, removal=None, last=known.last if known else None)
        return self._syncs[sync.tenant, sync.id]

    def get(self, tenant: Tenant, sync_id: str) -> Sync:
        if (tenant, sync_id) not in self._syncs:
            raise NotFoundError(f"no sync {sync_id}")
        return self._syncs[tenant, sync_id]

    def of(self, tenant: Tenant) -> list[Sync]:
        return [
            each for (owner, _), each in sorted(self._syncs.items(), key=lambda each: each[0][1]) if owner == tenant
        ]

    def note(self, sync: Sync, last: LastPass, *, due_at: float) -> None:
        if known := self._syncs.get((sync.tenant, sync.id)):
            due_at = due_at if known.due_at == sync.due_at else known.due_at
            self._syncs[sync.tenant, sync.id] = replace(known, last=last, due_at=due_at)

    def remove(self, sync: Sync, removal: Removal) -> None:
        if known := self._syncs.get((sync.tenant, sync.id)):
            self._syncs[sync.tenant, sync.id] = replace(known, removal=removal, due_at=0)

    def drop(self, sync: Sync) -> None:
        self._syncs.pop((sync.tenant, sync.id), None)

    def end_removal(self, sync: Sync) -> None:
        known = self._syncs.get((sync.tenant, sync.id))
        if known and known.removal == sync.removal:
            self.drop(sync)

    def brought(self, sync: Sync) -> dict[str, str]:
        intended = {
            document: "intended"
            for (tenant, sync_id, document), until in self._intended.items()
            if (tenant, sync_id) == (sync.tenant, sync.id) and until > self._clock.now()
        }
        return {**self._brought.get((sync.tenant, sync.id), {}), **intended}

    def intend(self, tenant: Tenant, document_id: str, source: SyncedObject) -> None:
        if document_id in (known := self._brought.get((tenant, source.sync_id), {})):
            known[document_id] = "intended"
            return
        self._intended[tenant, source.sync_id, document_id] = self._clock.now() + INTENDED_SECONDS

    def bring(self, tenant: Tenant, document_id: str, source: SyncedObject) -> None:
        self._intended.pop((tenant, source.sync_id, document_id), None)
        self._brought.setdefault((tenant, source.sync_id), {})[document_id] = source.fingerprint

    def release(self, sync: Sync, document_id: str) -> None:
        self._intended.pop((sync.tenant, sync.id, document_id), None)
        self._brought.get((sync.tenant, sync.id), {}).pop(document_id, None)


class FakeSyncedObjects:
    """`SyncedObjects`: a test fills `buckets` and looks at `documents`; `on_change` hears of each change of these.

    A bucket that is not there, or one of `denied`, can't be read. `cut` breaks listings after as many objects.
    """

    def __init__(self) -> None:
        self.buckets: dict[str, dict[str, tuple[bytes, dict[str, str]]]] = {}
        self.documents: dict[tuple[Tenant, str], tuple[bytes, dict[str, str]]] = {}
        self._puts: dict[tuple[str, str], int] = {}
        self.denied: set[str] = set()
        self.cut: int | None = None
        self.on_change: Callable[[Tenant, str], None] = lambda *_: None

    def put(self, bucket: str, key: str, body: bytes, **tags: str) -> None:
        """Put an object into a source."""
        self.buckets.setdefault(bucket, {})[key] = body, tags
        self._puts[bucket, key] = self._puts.get((bucket, key), 0) + 1

    def listed(self, bucket: str, prefix: str) -> Iterator[ListedObject]:
        if bucket not in self.buckets or bucket in self.denied:
            raise SourceUnreadableError(f"{bucket}: can't be read")
        for number, (key, (body, _)) in enumerate(sorted(self.buckets[bucket].items())):
            if number == self.cut:
                raise SourceUnreadableError(f"{bucket}: the listing broke off")
            if key.startswith(prefix) and not key.endswith("/"):
                put = float(self._puts.get((bucket, key), 0))
                yield ListedObject(key=key, etag=_etag(body), size_bytes=len(body), modified_at=put)

    def describe(self, source: SyncedObject) -> ObjectFacts:
        return ObjectFacts(content_type="text/plain", tags=self._current(source)[1])

    def owner(self, tenant: Tenant, name: str) -> str | None:
        found = self.documents.get((tenant, name))
        return found and found[1].get(OWN_MARK, "")

    def place(self, tenant: Tenant, file: ImportedFile) -> None:
        assert file.source
        self.documents[tenant, file.name] = self._current(file.source)[0], dict(file.metadata)
        self.on_change(tenant, file.name)

    def withdraw(self, tenant: Tenant, name: str, sync_id: str) -> bool:
        if self.owner(tenant, name) != sync_id:
            return False
        del self.documents[tenant, name]
        self.on_change(tenant, name)
        return True

    def current(self, tenant: Tenant) -> Iterator[CurrentObject]:
        """Yield what `SourceObjects` would of the copies, and of what else lies there."""
        for (owner, name), (body, _) in self.documents.items():
            if owner == tenant:
                yield CurrentObject(name=name, version_id="v1", size_bytes=len(body), modified_at=0.0)

    def _current(self, source: SyncedObject) -> tuple[bytes, dict[str, str]]:
        found = self.buckets.get(source.bucket, {}).get(source.key)
        if found is None:
            raise DocumentRefusedError("source_gone", "the object was deleted before it was read")
        if _etag(found[0]) != source.etag:
            raise DocumentRefusedError("source_changed", "the object changed meanwhile")
        return found


class FakePasses:
    """`Passes`: `begun` lists what was asked for."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, Permission | None]] = []

    def begin(self, sync_id: str, *, permission: Permission | None = None) -> None:
        self.begun.append((sync_id, permission))


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
