"""How a document's row reads: what of it the API shows, and what only orders its changes."""

from collections.abc import Mapping

import msgspec

from plinth.adapters.dynamodb_items import Value, row
from plinth.contracts.memory import DocumentRecord, DocumentState


class DocumentRow(msgspec.Struct):
    """Row DOCUMENT#<id>. A tombstone keeps only its state and sequence."""

    sk: str
    name: str = ""
    state: DocumentState = DocumentState.DELETED
    updated_at: float = 0.0
    size_bytes: int = 0
    title: str | None = None
    passages: int = 0
    generation: str | None = None
    reason: str | None = None
    message: str | None = None
    sequence: str = ""
    hidden_from: str | None = None

    @property
    def document_id(self) -> str:
        """The id within the sort key."""
        return self.sk.removeprefix("DOCUMENT#")


def document_record(item: Mapping[str, Value]) -> DocumentRecord:
    """Return what the API shows: a hidden document is being deleted, whatever else goes on with it."""
    stored = row(item, DocumentRow)
    hidden = stored.hidden_from is not None and stored.state != DocumentState.DELETED
    return DocumentRecord(
        document_id=stored.document_id,
        name=stored.name,
        state=DocumentState.DELETING if hidden else stored.state,
        updated_at=stored.updated_at,
        size_bytes=stored.size_bytes,
        title=stored.title,
        passages=stored.passages,
        generation=stored.generation,
        reason=stored.reason,
        message=stored.message,
    )
