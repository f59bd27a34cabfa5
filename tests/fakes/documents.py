"""The rows of documents in memory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from threading import RLock

from plinth.contracts.memory import DocumentRecord, DocumentState, DocumentVersion
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError
from plinth.ports.clock import Clock


@dataclass(frozen=True)
class DocumentRow:
    """A record with the newest known sequence, and the one known when the document was hidden."""

    record: DocumentRecord
    sequence: str = ""
    hidden_from: str | None = None


class FakeDocuments:
    """`Documents` under a lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = RLock()
        self._rows: dict[tuple[Tenant, str], DocumentRow] = {}
        self._versions: Counter[Tenant] = Counter()

    def announce(self, tenant: Tenant, record: DocumentRecord) -> None:
        with self._lock:
            row = self._rows.get((tenant, record.document_id), DocumentRow(_blank(record.document_id)))
            if row.record.state is DocumentState.DELETED:
                awaited = replace(record, state=DocumentState.AWAITING_UPLOAD)
                self._rows[tenant, record.document_id] = replace(row, record=awaited)

    def begin(self, document: DocumentVersion) -> bool:
        return self._arrive(document, DocumentState.INGESTING)

    def refuse(self, document: DocumentVersion, *, reason: str, message: str) -> bool:
        with self._lock:
            if self._row(document).record.generation == document.sequence:
                return False
            return self._arrive(document, DocumentState.REFUSED, reason=reason, message=message)

    def publish(self, document: DocumentVersion, *, title: str, passages: int) -> int | None:
        with self._lock:
            row = self._row(document)
            if row.record.generation == document.sequence:
                return self._versions[document.tenant]
            if row.sequence != document.sequence or row.record.state is DocumentState.DELETED:
                return None
            live = replace(
                row.record,
                state=DocumentState.READY,
                generation=document.sequence,
                title=title,
                passages=passages,
                reason=None,
                message=None,
            )
            self._put(document, replace(row, record=live))
            return self._raise_version(document.tenant)

    def hide(self, tenant: Tenant, document_id: str) -> DocumentRecord:
        with self._lock:
            record = self.get(tenant, document_id)
            row = self._rows[tenant, document_id]
            if row.record.state is DocumentState.AWAITING_UPLOAD:
                row = replace(row, record=_blank(document_id))
            else:
                row = replace(row, hidden_from=row.sequence)
            self._rows[tenant, document_id] = row
            self._raise_version(tenant)
            return replace(record, state=DocumentState.DELETING)

    def close(self, document: DocumentVersion) -> int:
        with self._lock:
            row = self._row(document)
            known = (row.sequence, row.record.state is DocumentState.DELETED)
            if known < (document.sequence, True):
                self._put(document, DocumentRow(_blank(document.document_id), sequence=document.sequence))
                return self._raise_version(document.tenant)
            if row.record.generation and row.record.generation <= document.sequence:
                row = replace(row, record=replace(row.record, generation=None, title=None, passages=0))
                self._raise_version(document.tenant)
            if row.hidden_from is not None and row.hidden_from < document.sequence:
                row = replace(row, hidden_from=None)
                self._raise_version(document.tenant)
            self._put(document, row)
            return self._versions[document.tenant]

    def get(self, tenant: Tenant, document_id: str) -> DocumentRecord:
        with self._lock:
            row = self._rows.get((tenant, document_id))
            if row is None or row.record.state is DocumentState.DELETED:
                raise NotFoundError(f"no document {document_id}")
            return row.record if row.hidden_from is None else replace(row.record, state=DocumentState.DELETING)

    def list(self, tenant: Tenant, *, limit: int, after: str | None) -> list[DocumentRecord]:
        with self._lock:
            ids = sorted(
                document_id
                for (owner, document_id), row in self._rows.items()
                if owner == tenant and row.record.state is not DocumentState.DELETED and document_id > (after or "")
            )
            return [self.get(tenant, document_id) for document_id in ids[:limit]]

    def live_generations(self, tenant: Tenant, document_ids: Iterable[str]) -> dict[str, str]:
        with self._lock:
            rows = {each: self._rows.get((tenant, each)) for each in document_ids}
            return {
                each: row.record.generation
                for each, row in rows.items()
                if row and row.record.generation and row.hidden_from is None
            }

    def corpus_version(self, tenant: Tenant) -> int:
        return self._versions[tenant]

    def _arrive(
        self, document: DocumentVersion, state: DocumentState, *, reason: str | None = None, message: str | None = None
    ) -> bool:
        with self._lock:
            row = self._row(document)
            known = (row.sequence, row.record.state is DocumentState.DELETED)
            if known > (document.sequence, False):
                return False
            arrived = replace(
                row.record,
                name=document.name,
                size_bytes=document.size_bytes,
                state=state,
                updated_at=self._clock.now(),
                reason=reason,
                message=message,
            )
            self._put(document, replace(row, record=arrived, sequence=document.sequence))
            return True

    def _row(self, document: DocumentVersion) -> DocumentRow:
        return self._rows.get((document.tenant, document.document_id), DocumentRow(_blank(document.document_id)))

    def _put(self, document: DocumentVersion, row: DocumentRow) -> None:
        self._rows[document.tenant, document.document_id] = row

    def _raise_version(self, tenant: Tenant) -> int:
        self._versions[tenant] += 1
        return self._versions[tenant]


def _blank(document_id: str) -> DocumentRecord:
    return DocumentRecord(document_id=document_id, name="", state=DocumentState.DELETED, updated_at=0.0)
