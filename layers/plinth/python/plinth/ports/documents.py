"""A document on its way: its objects, its row, its passages in the index, and where it goes when it fails."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from plinth.contracts.indexes import Corpus
from plinth.contracts.memory import (
    NO_LABELS,
    Content,
    CurrentObject,
    DocumentRecord,
    DocumentVersion,
    IndexedVersion,
    KnownDocument,
    Labels,
    LiveDocument,
    ParsedDocument,
    Passage,
    SearchScope,
    SourceObject,
    Span,
    StoredPassage,
    Upload,
    UploadContent,
)
from plinth.contracts.retrieval import Mix
from plinth.contracts.runs import Failure
from plinth.contracts.tenant import Tenant

Vector = Sequence[float]

UPLOAD_SECONDS = 300
"""How long an upload URL may be used."""


class Memory(Protocol):
    """Search by meaning and by words within one scope. Only offers candidates: `Documents` says what is live."""

    def search(self, scope: SearchScope, question: str, vector: Vector, *, limit: int, mix: Mix) -> list[StoredPassage]:
        """Return at most `limit` passages of the scope, best first, by both kinds of search fused."""
        ...

    def around(self, scope: SearchScope, spans: Sequence[Span]) -> list[StoredPassage]:
        """Return the scope's passages in the spans, in the spans' order and by position, each once, unranked."""
        ...

    def index(
        self,
        document: DocumentVersion,
        title: str,
        passages: Sequence[tuple[Passage, Vector]],
        *,
        labels: Labels = NO_LABELS,
    ) -> int:
        """Store every passage of this version under a natural key, so that a retry writes nothing twice."""
        ...

    def read(self, document: DocumentVersion) -> IndexedVersion:
        """Return what a search can see of this version."""
        ...

    def count(self, document: DocumentVersion) -> int:
        """Return how many distinct passages of this version a search can see."""
        ...

    def remove_older(self, document: DocumentVersion) -> int:
        """Delete the passages of every version before this one; return how many."""
        ...

    def remove_this(self, document: DocumentVersion) -> int:
        """Delete the passages of this version alone; return how many."""
        ...

    def remove_through(self, document: DocumentVersion) -> int:
        """Delete the passages of this version and of every one before it; return how many."""
        ...

    def remove_tenant(self, tenant: Tenant) -> int:
        """Delete passages of the tenant, as many as one request can; return how many, 0 where none were left."""
        ...

    def drop(self) -> None:
        """Delete the index with all that is in it; again does nothing."""
        ...


class Memories(Protocol):
    """The search engine: one `Memory` per index."""

    def named(self, index: str) -> Memory:
        """Return the memory in this index, which is made with the first passage."""
        ...


class Documents(Protocol):
    """The rows of documents: the truth about which version is live."""

    def announce(self, tenant: Tenant, record: DocumentRecord) -> None:
        """Note that an upload is expected; a document that exists is left as it is."""
        ...

    def begin(self, document: DocumentVersion, *, execution: str, reread_for: str = "") -> int | None:
        """Give the execution the next try of this version; return its number, the same if it is asked again.

        None where the version is live, or a newer version or a deletion is known. A live version that the index
        `reread_for` lacks gets another try.
        """
        ...

    def publish(self, document: DocumentVersion, content: Content) -> int | None:
        """Make this try the live one and raise the corpus version, in one transaction; return it.

        None where a newer version, try or deletion won, or the try was refused. Publishing it again changes nothing.
        `StoreUnavailableError` where the tenant's indexes are no longer the given ones.
        """
        ...

    def is_live(self, document: DocumentVersion) -> bool:
        """Tell whether this try is the live one, hidden or not."""
        ...

    def copied(self, document: DocumentVersion, index: str) -> bool:
        """Note that an index holds this try whole, if it is the live one; False where it is not."""
        ...

    def lacking(self, tenant: Tenant, index: str) -> Iterator[LiveDocument]:
        """Yield every document with a live version that the index is not known to hold whole."""
        ...

    def awaits(self, document: DocumentVersion) -> bool:
        """Tell whether this try may still become live."""
        ...

    def refuse(self, document: DocumentVersion, failure: Failure, *, execution: str) -> DocumentRecord | None:
        """Note why the execution's try failed, so that it can't be published; an earlier live version stays live.

        None where something newer is known, or this very version is live.
        """
        ...

    def redrivable(self, tenant: Tenant, document_id: str) -> DocumentVersion | None:
        """Return the version to try again, with its newest try, if it was refused or its try ended without a word.

        None where there is nothing to try again; `NotFoundError` if the document is absent.
        """
        ...

    def hide(self, tenant: Tenant, document_id: str) -> DocumentRecord:
        """Hide a document from every search at once, ahead of its deletion; `NotFoundError` if absent."""
        ...

    def close(self, document: DocumentVersion) -> int:
        """Leave a tombstone at the deletion's sequence and raise the corpus version; return it."""
        ...

    def get(self, tenant: Tenant, document_id: str) -> DocumentRecord:
        """Return the document, or raise `NotFoundError`; a deleted one is not found."""
        ...

    def list(self, tenant: Tenant, *, limit: int, after: str | None) -> list[DocumentRecord]:
        """Return documents by id, after `after`, without deleted ones."""
        ...

    def erased_through(self, tenant: Tenant, document_id: str) -> str | None:
        """Return the sequence up to which everything of a deleted document may go; None while its deletion is awaited.

        Of a document that was uploaded anew since, that is what comes before its newest upload.
        """
        ...

    def many(self, tenant: Tenant, document_ids: Iterable[str]) -> Sequence[DocumentRecord]:
        """Return those of the documents that are there, in no order."""
        ...

    def known(self, tenant: Tenant) -> Iterator[KnownDocument]:
        """Yield every document of the tenant, deleted ones too."""
        ...

    def live_generations(self, tenant: Tenant, document_ids: Iterable[str]) -> dict[str, str]:
        """Return the live generation of each document that has one and is not hidden."""
        ...

    def corpus_version(self, tenant: Tenant) -> int:
        """Return the number that rises with every published change of the tenant's documents."""
        ...

    def corpus(self, tenant: Tenant) -> Corpus:
        """Return that number with the indexes that hold the tenant's passages, in one read."""
        ...


class SourceObjects(Protocol):
    """The bucket that documents arrive in."""

    def upload(self, tenant: Tenant, name: str, content: UploadContent) -> Upload:
        """Return what takes one PUT of exactly this size and type, with this metadata, within `UPLOAD_SECONDS`."""
        ...

    def fetch(self, document: DocumentVersion) -> SourceObject:
        """Return this version's bytes, or raise `DocumentRefusedError` where it is gone."""
        ...

    def current(self, tenant: Tenant) -> Iterator[CurrentObject]:
        """Yield the current version of every object of the tenant that has one."""
        ...

    def delete(self, tenant: Tenant, name: str) -> None:
        """Delete every version of the object, and let the bucket announce it."""
        ...


class WorkObjects(Protocol):
    """What the ingest steps hand to one another: by document version and name, expiring by itself."""

    def put(self, document: DocumentVersion, name: str, body: bytes) -> None:
        """Store bytes under the version."""
        ...

    def get(self, document: DocumentVersion, name: str) -> bytes:
        """Return the bytes, or raise `StoreUnavailableError`."""
        ...

    def find(self, document: DocumentVersion, name: str) -> bytes | None:
        """Return the bytes, or None where nothing was stored."""
        ...


class DocumentParser(Protocol):
    """Turns a file into text, isolated from everything else."""

    def parse(self, name: str, source: SourceObject) -> ParsedDocument:
        """Return its text; raise `DocumentRefusedError` with the reason."""
        ...


class DeadLetters(Protocol):
    """Where documents go that could not be ingested."""

    def send(self, document: DocumentVersion, refusal: DocumentRecord) -> None:
        """Queue the document with its reason, and the times at which it was tried."""
        ...
