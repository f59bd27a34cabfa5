"""Which syncs there are, and what each brought: never the name of a document, so that an erasure finds none here.

What the last pass could not bring is named until the next: it lies in the other bucket, which no erasure touches.

Rows (pk `<tenant>`): SYNC#<id> is the sync; SYNCED#<id>#<document> the fingerprint of what it brought, another word
while it is about to, empty once it is released. What is gone expires a day later.
"""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from plinth.adapters.dynamodb_items import Value, packed, row, unpacked
from plinth.adapters.dynamodb_table import ConditionFailedError, Key, Put, Table, Update
from plinth.contracts.importing import SyncedObject
from plinth.contracts.syncs import LastPass, Removal, Sync
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError
from plinth.ports.clock import Clock

_KEPT_SECONDS = 86_400
INTENDED_SECONDS = 14 * 86_400
"""Longer than any document's event is awaited, and than two passes lie apart."""
_INTENDED = "intended"
_THERE = "attribute_exists(pk) AND attribute_not_exists(#expires_at)"


class _SyncRow(msgspec.Struct):
    sk: str
    pk: str
    bucket: str
    prefix: str
    every_seconds: int
    due_at: float
    pattern: str = ""
    metadata: Mapping[str, str] = {}
    removal: Removal | None = None
    last: bytes | None = None
    expires_at: int | None = None


class _SyncedRow(msgspec.Struct):
    sk: str
    fingerprint: str
    expires_at: float = float("inf")


class DynamoSyncs:
    """`Syncs` in the table of documents."""

    def __init__(self, *, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def save(self, sync: Sync) -> Sync:
        """Set what the caller decides; a removal that was asked for is off."""
        decided: Mapping[str, Value] = {
            ":bucket": sync.bucket,
            ":prefix": sync.prefix,
            ":every_seconds": sync.every_seconds,
            ":due_at": sync.due_at,
            ":pattern": sync.pattern,
            ":metadata": dict(sync.metadata),
        }
        change = "SET " + ", ".join(f"#{name[1:]} = {name}" for name in decided) + " REMOVE #removal, #expires_at"
        return _sync(self._table.write(Update(key=_key(sync.tenant, sync.id), change=change, values=decided)))

    def get(self, tenant: Tenant, sync_id: str) -> Sync:
        """Return the sync, unless it was dropped."""
        found = self._table.get(_key(tenant, sync_id))
        if found is None or "expires_at" in found:
            raise NotFoundError(f"no sync {sync_id}")
        return _sync(found)

    def of(self, tenant: Tenant) -> list[Sync]:
        """Read the tenant's partition as it is now."""
        found = self._table.query(tenant.id, first="SYNC#", last="SYNC#~")
        return [_sync(each) for each in found if "expires_at" not in each]

    def note(self, sync: Sync, last: LastPass, *, due_at: float) -> None:
        """Set both if the row has the due time that the pass saw, else how it went alone."""
        told: Mapping[str, Value] = {":last": packed(last)}
        due: Mapping[str, Value] = {**told, ":due_at": due_at, ":seen": sync.due_at}
        if not self._update(sync, "SET #last = :last, #due_at = :due_at", due, also="#due_at = :seen"):
            self._update(sync, "SET #last = :last", told)

    def remove(self, sync: Sync, removal: Removal) -> None:
        """Set what becomes of its documents, and let a pass be due."""
        self._update(sync, "SET #removal = :removal, #due_at = :due_at", {":removal": removal, ":due_at": 0})

    def drop(self, sync: Sync) -> None:
        """Let the row expire."""
        self._update(sync, "SET #expires_at = :expires_at", {":expires_at": self._soon()})

    def end_removal(self, sync: Sync) -> None:
        """Let the row expire, if it still has this removal."""
        values: Mapping[str, Value] = {":expires_at": self._soon(), ":removal": sync.removal or ""}
        self._update(sync, "SET #expires_at = :expires_at", values, also="#removal = :removal")

    def brought(self, sync: Sync) -> dict[str, str]:
        """Read the sync's rows as they are now."""
        prefix = f"SYNCED#{sync.id}#"
        rows = (row(each, _SyncedRow) for each in self._table.query(sync.tenant.id, first=prefix, last=f"{prefix}~"))
        now = self._clock.now()
        found = (each for each in rows if each.fingerprint and each.expires_at > now)
        return {each.sk.removeprefix(prefix): each.fingerprint for each in found}

    def bring(self, tenant: Tenant, document_id: str, source: SyncedObject) -> None:
        """Write the fingerprint over an earlier one."""
        key = _synced(tenant, source.sync_id, document_id)
        self._table.write(Put(key=key, item={"fingerprint": source.fingerprint}))

    def intend(self, tenant: Tenant, document_id: str, source: SyncedObject) -> None:
        """Write what is no fingerprint, and expires where there was none before."""
        expires_at = int(self._clock.now()) + INTENDED_SECONDS
        key = _synced(tenant, source.sync_id, document_id)
        known = Update(key=key, change="SET #fingerprint = :it", condition=_THERE, values={":it": _INTENDED})
        if self._holds(known):
            return
        self._table.write(Put(key=key, item={"fingerprint": _INTENDED, "expires_at": expires_at}))

    def release(self, sync: Sync, document_id: str) -> None:
        """Write an empty fingerprint, which expires."""
        key = _synced(sync.tenant, sync.id, document_id)
        self._table.write(Put(key=key, item={"fingerprint": "", "expires_at": self._soon()}))

    def _update(self, sync: Sync, change: str, values: Mapping[str, Value], *, also: str = "") -> bool:
        condition = f"{_THERE} AND {also}" if also else _THERE
        return self._holds(Update(key=_key(sync.tenant, sync.id), change=change, condition=condition, values=values))

    def _holds(self, change: Update) -> bool:
        try:
            self._table.write(change)
        except ConditionFailedError:
            return False
        return True

    def _soon(self) -> int:
        return int(self._clock.now()) + _KEPT_SECONDS


def _sync(item: Mapping[str, Value]) -> Sync:
    stored = row(item, _SyncRow)
    made = Sync(
        id=stored.sk.removeprefix("SYNC#"),
        tenant=Tenant(id=stored.pk),
        bucket=stored.bucket,
        prefix=stored.prefix,
        every_seconds=stored.every_seconds,
        due_at=stored.due_at,
        pattern=stored.pattern,
        metadata=stored.metadata,
        removal=stored.removal,
    )
    return replace(made, last=unpacked(stored.last, LastPass)) if stored.last else made


def _key(tenant: Tenant, sync_id: str) -> Key:
    return tenant.id, f"SYNC#{sync_id}"


def _synced(tenant: Tenant, sync_id: str, document_id: str) -> Key:
    return tenant.id, f"SYNCED#{sync_id}#{document_id}"
