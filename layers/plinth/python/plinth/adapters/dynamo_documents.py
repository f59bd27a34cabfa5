"""Which version of a document is live: conditions on sequences in DynamoDB, so that versions never go back.

Row DOCUMENT#<id> (pk `<tenant>`): `sequence` is the newest change known (an upload or a deletion), `generation` the
sequence of the live version, `hidden_from` the sequence known when the API hid the document, until a deletion after
it arrives. Row CORPUS holds the version that rises with every change that a search could see.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

import msgspec

from plinth.adapters.dynamo_document_row import DocumentRow, document_record
from plinth.adapters.dynamodb_items import Value, row
from plinth.adapters.dynamodb_table import ConditionFailedError, Key, Table, Update
from plinth.contracts.memory import DocumentRecord, DocumentState, DocumentVersion
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError
from plinth.ports.clock import Clock

_NEWER_OR_AGAIN = (
    "attribute_not_exists(#sequence) OR #sequence < :sequence OR (#sequence = :sequence AND #state <> :deleted"
)
_ARRIVED = "#name = :name, #size_bytes = :size_bytes, #sequence = :sequence, #state = :state, #updated_at = :now"


class DynamoDocuments:
    """`Documents` in one table."""

    def __init__(self, *, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def announce(self, tenant: Tenant, record: DocumentRecord) -> None:
        """Show the document as awaited if it is new or was deleted; a tombstone's sequence stays."""
        self._holds(
            Update(
                key=_key(tenant, record.document_id),
                change="SET #name = :name, #size_bytes = :size_bytes, #state = :awaiting, #updated_at = :now",
                condition="attribute_not_exists(pk) OR #state = :deleted",
                values={
                    ":name": record.name,
                    ":size_bytes": record.size_bytes,
                    ":awaiting": DocumentState.AWAITING_UPLOAD,
                    ":deleted": DocumentState.DELETED,
                    ":now": record.updated_at,
                },
            )
        )

    def begin(self, document: DocumentVersion) -> bool:
        """Take the version's sequence as the newest; the live generation stays what it was."""
        return self._holds(
            Update(
                key=_key(document.tenant, document.document_id),
                change=f"SET {_ARRIVED} REMOVE #reason, #message",
                condition=f"{_NEWER_OR_AGAIN})",
                values=self._arrival(document, DocumentState.INGESTING),
            )
        )

    def refuse(self, document: DocumentVersion, *, reason: str, message: str) -> bool:
        """Note the reason, unless something newer is known or this very version is live."""
        return self._holds(
            Update(
                key=_key(document.tenant, document.document_id),
                change=f"SET {_ARRIVED}, #reason = :reason, #message = :message",
                condition=f"{_NEWER_OR_AGAIN} AND (attribute_not_exists(#generation) OR #generation <> :sequence))",
                values=self._arrival(document, DocumentState.REFUSED) | {":reason": reason, ":message": message},
            )
        )

    def publish(self, document: DocumentVersion, *, title: str, passages: int) -> int | None:
        """Make the version live if its sequence is still the newest."""
        ready = Update(
            key=_key(document.tenant, document.document_id),
            change=(
                "SET #generation = :sequence, #state = :ready, #title = :title, #passages = :passages,"
                " #size_bytes = :size_bytes, #updated_at = :now REMOVE #reason, #message"
            ),
            condition="#sequence = :sequence AND #state <> :deleted"
            " AND (attribute_not_exists(#generation) OR #generation <> :sequence)",
            values={
                ":sequence": document.sequence,
                ":ready": DocumentState.READY,
                ":deleted": DocumentState.DELETED,
                ":title": title,
                ":passages": passages,
                ":size_bytes": document.size_bytes,
                ":now": self._clock.now(),
            },
        )
        try:
            self._table.transact(ready, _raised(document.tenant))
        except ConditionFailedError as failed:
            if (failed.old[0] or {}).get("generation") != document.sequence:
                return None
        return self.corpus_version(document.tenant)

    def hide(self, tenant: Tenant, document_id: str) -> DocumentRecord:
        """Hide the document until a deletion after its newest known change arrives.

        One that was only awaited is deleted at once: the bucket may have nothing whose deletion it could announce.
        """
        key = _key(tenant, document_id)
        gone = Update(
            key=key,
            change="SET #state = :deleted, #updated_at = :now",
            condition="#state = :awaiting",
            values={
                ":awaiting": DocumentState.AWAITING_UPLOAD,
                ":deleted": DocumentState.DELETED,
                ":now": self._clock.now(),
            },
        )
        hidden = Update(
            key=key,
            change="SET #hidden_from = if_not_exists(#sequence, :none), #updated_at = :now",
            condition="attribute_exists(pk) AND #state <> :deleted",
            values={":none": "", ":deleted": DocumentState.DELETED, ":now": self._clock.now()},
        )
        record = self.get(tenant, document_id)
        if not self._holds(gone, _raised(tenant)) and not self._holds(hidden, _raised(tenant)):
            raise NotFoundError(f"no document {document_id}")
        return replace(record, state=DocumentState.DELETING)

    def close(self, document: DocumentVersion) -> int:
        """Leave a tombstone, or where a newer upload is known, take down only what the deletion covers."""
        key = _key(document.tenant, document.document_id)
        tombstone = Update(
            key=key,
            change=(
                "SET #sequence = :sequence, #state = :deleted, #updated_at = :now"
                " REMOVE #name, #size_bytes, #title, #passages, #generation, #reason, #message, #hidden_from"
            ),
            condition=f"{_NEWER_OR_AGAIN})",
            values={":sequence": document.sequence, ":deleted": DocumentState.DELETED, ":now": self._clock.now()},
        )
        sequence = {":sequence": document.sequence}
        covered = Update(
            key=key,
            change="REMOVE #generation, #title, #passages",
            condition="#generation <= :sequence",
            values=sequence,
        )
        unhidden = Update(key=key, change="REMOVE #hidden_from", condition="#hidden_from < :sequence", values=sequence)
        if not self._holds(tombstone, _raised(document.tenant)):
            self._holds(covered, _raised(document.tenant))
            self._holds(unhidden, _raised(document.tenant))
        return self.corpus_version(document.tenant)

    def get(self, tenant: Tenant, document_id: str) -> DocumentRecord:
        """Return the document as the API shows it."""
        found = self._table.get(_key(tenant, document_id))
        if found is None or (record := document_record(found)).state == DocumentState.DELETED:
            raise NotFoundError(f"no document {document_id}")
        return record

    def list(self, tenant: Tenant, *, limit: int, after: str | None) -> list[DocumentRecord]:
        """Return documents by id, reading on where deleted ones leave a page short."""
        found = self._records(tenant, after=after, page_size=limit)
        return list(islice((record for record in found if record.state != DocumentState.DELETED), limit))

    def _records(self, tenant: Tenant, *, after: str | None, page_size: int) -> Iterator[DocumentRecord]:
        """Yield documents by id, deleted ones too, in pages that grow: however many those are, reads are few."""
        while True:
            first = "DOCUMENT#" if after is None else f"DOCUMENT#{after}\0"
            found = self._table.query(tenant.id, first=first, last="DOCUMENT#\U0010ffff", page_size=page_size)
            page = [document_record(item) for item in islice(found, page_size)]
            yield from page
            if len(page) < page_size:
                return
            after, page_size = page[-1].document_id, page_size * 4

    def live_generations(self, tenant: Tenant, document_ids: Iterable[str]) -> dict[str, str]:
        """Return what searches may show, from one consistent batch read."""
        found = self._table.get_many(_key(tenant, document_id) for document_id in document_ids)
        rows = (row(item, DocumentRow) for item in found)
        return {
            stored.document_id: stored.generation for stored in rows if stored.generation and stored.hidden_from is None
        }

    def corpus_version(self, tenant: Tenant) -> int:
        """Return 0 before the first change."""
        found = self._table.get((tenant.id, "CORPUS"))
        return row(found, _CorpusRow).version if found else 0

    def _holds(self, change: Update, *others: Update) -> bool:
        try:
            if others:
                self._table.transact(change, *others)
            else:
                self._table.write(change)
        except ConditionFailedError:
            return False
        return True

    def _arrival(self, document: DocumentVersion, state: DocumentState) -> dict[str, Value]:
        return {
            ":name": document.name,
            ":size_bytes": document.size_bytes,
            ":sequence": document.sequence,
            ":state": state,
            ":deleted": DocumentState.DELETED,
            ":now": self._clock.now(),
        }


class _CorpusRow(msgspec.Struct):
    version: int


def _raised(tenant: Tenant) -> Update:
    return Update(key=(tenant.id, "CORPUS"), change="ADD #version :one", values={":one": 1})


def _key(tenant: Tenant, document_id: str) -> Key:
    return tenant.id, f"DOCUMENT#{document_id}"
