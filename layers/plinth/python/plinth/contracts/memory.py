"""What memory holds: documents, their versions, and the passages that answers rest on."""

from dataclasses import dataclass
from enum import StrEnum

from plinth.contracts.tenant import Tenant


class DocumentState(StrEnum):
    """Where a document stands. READY is searchable; REFUSED carries a reason; DELETING hides it at once."""

    AWAITING_UPLOAD = "awaiting_upload"
    INGESTING = "ingesting"
    READY = "ready"
    REFUSED = "refused"
    DELETING = "deleting"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentVersion:
    """One version of a stored object. `sequence` is S3's sequencer, left-padded so that text order is time order."""

    tenant: Tenant
    document_id: str
    name: str
    object_key: str
    version_id: str | None
    sequence: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRecord:
    """A document as the API shows it. `generation` is the sequence of the version that searches may return."""

    document_id: str
    name: str
    state: DocumentState
    updated_at: float
    size_bytes: int = 0
    title: str | None = None
    passages: int = 0
    generation: str | None = None
    reason: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A stretch of a document's text with the place it came from. Pages count from 1."""

    text: str
    page: int | None = None
    heading: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedDocument:
    """What a parser makes of a file: its title and its text in reading order."""

    title: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A stretch of text short enough to embed and to cite. `position` counts from 0 within the document."""

    position: int
    text: str
    page: int | None = None
    heading: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPassage:
    """A passage as search returns it. `score` is the fused rank score, larger is better."""

    chunk_id: str
    document_id: str
    generation: str
    name: str
    title: str
    position: int
    text: str
    score: float
    page: int | None = None
    heading: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceObject:
    """An object's bytes and what its uploader called it."""

    body: bytes
    content_type: str
