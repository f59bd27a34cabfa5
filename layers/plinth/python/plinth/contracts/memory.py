"""What memory holds: documents, their versions, and the passages that answers rest on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from plinth.contracts.context_orders import NO_CONTEXTS, ContextOrder, DocumentContexts
from plinth.contracts.indexes import TenantIndexes
from plinth.contracts.tenant import Tenant

EVERYONE = "*"
"""Stands among the access labels of a passage that every reader of the tenant may read; no label is spelled so."""

SECTION_BREAK = "\n\n"
"""Stands between the sections of a document's text."""


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
    """One version of a stored object. `sequence` is S3's sequencer, left-padded so that text order is time order.

    `attempt` counts the tries to ingest this version; 0 until one is claimed.
    """

    tenant: Tenant
    document_id: str
    name: str
    object_key: str
    version_id: str | None
    sequence: str
    size_bytes: int
    attempt: int = 0

    @property
    def generation(self) -> str:
        """What this try writes into the index is marked with it; text order is the order of versions, then of tries."""
        return f"{self.sequence}.{self.attempt:04d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What a document's passages are marked with.

    `metadata` are `name=value` strings that a search can ask for. Of the `access` labels a reader must hold one;
    without any, every reader of the tenant may read.
    """

    metadata: tuple[str, ...] = ()
    access: tuple[str, ...] = ()


NO_LABELS = Labels()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What is known of a version's object beside its text: the SHA-256 (hex) of its bytes, labels, ordered contexts."""

    content_sha256: str = ""
    labels: Labels = NO_LABELS
    contexts: ContextOrder = NO_CONTEXTS


NO_FACTS = SourceFacts()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRecord:
    """A document as the API shows it. `generation` names the version, and the try, that searches may return.

    `tokens` is what the embedding model reads of all its passages.

    `attempted_at` are the times (Unix seconds) at which the newest version was tried. `content_sha256` (hex) and
    `labels` are those of the version that is live.
    """

    document_id: str
    name: str
    state: DocumentState
    updated_at: float
    size_bytes: int = 0
    title: str | None = None
    passages: int = 0
    tokens: int = 0
    generation: str | None = None
    reason: str | None = None
    message: str | None = None
    attempted_at: tuple[float, ...] = ()
    content_sha256: str | None = None
    labels: Labels = NO_LABELS
    contexts: DocumentContexts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a version is, once it is live; `indexes` hold it whole, None stands for those that its tenant has."""

    title: str
    passages: int
    tokens: int = 0
    source: SourceFacts = NO_FACTS
    indexes: TenantIndexes | None = None
    contexts: DocumentContexts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDocument:
    """A document as its row has it: the newest version or deletion known.

    One that is being deleted is hidden since the change of sequence `hidden_from` was the newest.
    """

    newest: DocumentVersion
    state: DocumentState
    updated_at: float
    hidden_from: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveDocument:
    """The version, and the try, that searches may return; `newest` where nothing newer is known, so it can be read."""

    version: DocumentVersion
    passages: int
    newest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentObject:
    """The current version of an object of a tenant. `modified_at` is in Unix seconds."""

    name: str
    version_id: str
    size_bytes: int
    modified_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A stretch of a document's text with the place it came from. Pages count from 1.

    `path` are the headings that it stands under, the outermost first and its own last.
    """

    text: str
    page: int | None = None
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedDocument:
    """What a parser makes of a file: its title and its text in reading order; and what its object says beside it."""

    title: str
    sections: tuple[Section, ...]
    source: SourceFacts = NO_FACTS

    @property
    def text(self) -> str:
        """The whole text, an empty line between sections. The offsets of passages count its Unicode code points."""
        return SECTION_BREAK.join(section.text for section in self.sections)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A stretch of text short enough to embed and to cite. `position` counts from 0 within the document.

    `text` is what stands from `start` to `end` in the document's text, in Unicode code points. `heading` is the path of
    headings that it stands under, such as `Install > Debian`. `above` is what must be read with it: a line of title and
    headings, and the header of the table that the text goes on with. `context` is what a model wrote of it, from inputs
    that `context_key` names; it is for searching alone. `tokens` counts all of it as the embedding model does.
    """

    position: int
    text: str
    page: int | None = None
    heading: str | None = None
    above: str = ""
    start: int = 0
    end: int = 0
    tokens: int = 0
    context: str = ""
    context_key: str = ""

    @property
    def in_context(self) -> str:
        """What is told to models: the document's own words."""
        return f"{self.above}\n{self.text}" if self.above else self.text

    @property
    def searched(self) -> str:
        """What is embedded and ranked again."""
        return "\n".join(filter(None, (self.above, self.context, self.text)))


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedVersion:
    """A version as an index holds it: its passages by position, each with its vector."""

    title: str
    labels: Labels
    passages: tuple[tuple[Passage, Sequence[float]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchScope:
    """What a search may find: passages of the tenant that are for everyone or carry an access label that is `held`.

    Each group of `metadata` names alternatives (`name=value`): a passage must carry one of every group.
    """

    tenant: Tenant
    held: tuple[str, ...] = ()
    metadata: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Passages of one version of a document, by position: `first` and `last` belong to it."""

    document_id: str
    generation: str
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPassage(Passage):
    """A passage as search returns it. `score` is the fused rank score, larger is better.

    `similarity` is its cosine with the question, None where only its words were found. `access` holds the labels of
    which a reader must hold one, or `EVERYONE`; where it is empty, nobody may read.
    """

    chunk_id: str
    document_id: str
    generation: str
    name: str
    title: str
    score: float
    metadata: tuple[str, ...] = ()
    access: tuple[str, ...] = ()
    similarity: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What of a question no passage found holds: words, and names, which are told apart by how they are written."""

    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadContent:
    """What is about to be uploaded. `metadata` becomes the object's user metadata."""

    content_type: str
    size_bytes: int
    metadata: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The one request that uploads the bytes: send them with exactly this method and these headers."""

    url: str
    method: str
    headers: dict[str, str]
    expires_in_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceObject:
    """An object's bytes, what its uploader called it, and its tags and user metadata as they are stored."""

    body: bytes
    content_type: str
    tags: dict[str, str] = field(default_factory=dict[str, str])
