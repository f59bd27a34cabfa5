"""What a document's row says, and what each event makes of it: the rules by which versions never go back.

A row is changed by a pure function of the row as it was; the store writes the result only if nobody changed the row
meanwhile, else it asks again. So each rule may look at the whole row, and must give the same when it is asked twice.
"""

from dataclasses import dataclass, replace

from plinth.contracts.context_orders import DocumentContexts
from plinth.contracts.memory import (
    NO_FACTS,
    Content,
    DocumentRecord,
    DocumentState,
    DocumentVersion,
    KnownDocument,
    LiveDocument,
    SourceFacts,
)
from plinth.contracts.runs import Failure
from plinth.contracts.tenant import Tenant
from plinth.memory.naming import object_key, sequence_before

STUCK_SECONDS = 7_200
"""How long one try may last: the ingest machine's own limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """All that is known of a document. An unknown one is as one that was deleted before everything.

    `sequence` is the newest change known (an upload or a deletion), `attempt` the newest try of it, `claimed_by` the
    execution that makes it; `generation` is the live version; `hidden_from` the sequence known when the API hid the
    document, until a deletion after it arrives; `indexes` hold the live version whole.
    """

    document_id: str
    state: DocumentState = DocumentState.DELETED
    revision: int = 0
    sequence: str = ""
    attempt: int = 0
    claimed_by: str | None = None
    attempted_at: tuple[float, ...] = ()
    version_id: str | None = None
    name: str = ""
    updated_at: float = 0.0
    size_bytes: int = 0
    title: str | None = None
    passages: int = 0
    tokens: int = 0
    generation: str | None = None
    reason: str | None = None
    message: str | None = None
    hidden_from: str | None = None
    source: SourceFacts = NO_FACTS
    indexes: tuple[str, ...] = ()
    contexts: DocumentContexts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The row as it should be; `seen` where a search could see the difference, so that the corpus version rises."""

    row: DocumentRow
    seen: bool = False


def announced(row: DocumentRow, record: DocumentRecord) -> Change | None:
    """Show a document as awaited if it is new or was deleted, to who may see it; a tombstone's sequence stays."""
    if row.state is not DocumentState.DELETED:
        return None
    return Change(
        row=replace(
            row,
            state=DocumentState.AWAITING_UPLOAD,
            name=record.name,
            size_bytes=record.size_bytes,
            updated_at=record.updated_at,
            source=SourceFacts(labels=record.labels),
        )
    )


def begun(
    row: DocumentRow, document: DocumentVersion, *, execution: str, now: float, reread_for: str = ""
) -> Change | None:
    """Give this execution the next try of the version, unless the version is live or something newer is known.

    A live version is tried again for an index that lacks it, or where such a try has ended without a word. The
    execution that has the newest try already keeps it. The live generation stays what it was.
    """
    is_held = not reread_for or reread_for in row.indexes
    is_settled = is_held and _is_live(row, document) and not _is_stuck(row, now=now)
    if document.sequence < row.sequence or is_settled:
        return None
    if document.sequence == row.sequence and row.claimed_by == execution:
        return Change(row=row)
    return Change(row=_next_try(row, document, execution=execution, now=now))


def refused(
    row: DocumentRow, document: DocumentVersion, failure: Failure, *, execution: str, now: float
) -> Change | None:
    """Note why this execution's try failed, so that it can't be published any more; an earlier live version stays live.

    An execution whose claim never arrived, or whose answer to it got lost, has tried as well. Where this version is
    live, by this try or an earlier one, nothing is refused: the document is as ready as before. Nor where a claimed
    version is unknown: its row was erased since.
    """
    if document.sequence > row.sequence and not document.attempt:
        row = _next_try(row, document, execution=execution, now=now)
    if (row.sequence, row.claimed_by) != (document.sequence, execution):
        return None
    if _is_live(row, document):
        return Change(row=replace(row, state=DocumentState.READY))
    refusal = replace(row, state=DocumentState.REFUSED, updated_at=now, reason=failure.reason, message=failure.message)
    return Change(row=refusal)


def published(row: DocumentRow, document: DocumentVersion, content: Content, *, now: float) -> Change | None:
    """Make this try the live generation if it is still the newest, and nobody refused it."""
    if row.generation == document.generation:
        return Change(row=row)
    if not awaits(row, document):
        return None
    live = replace(
        row,
        state=DocumentState.READY,
        generation=document.generation,
        title=content.title,
        passages=content.passages,
        tokens=content.tokens,
        source=content.source,
        contexts=content.contexts,
        indexes=content.indexes.all if content.indexes else (),
        size_bytes=document.size_bytes,
        updated_at=now,
    )
    return Change(row=live, seen=True)


def copied(row: DocumentRow, document: DocumentVersion, index: str) -> Change | None:
    """Note that an index holds the live version whole; None where another version is live, or none.

    A copy is what comes after a second reading, so one that has not told how it ended is over: it can't go live then.
    """
    if row.generation != document.generation:
        return None
    is_reread = row.state is DocumentState.INGESTING and row.sequence == document.sequence
    held = tuple(dict.fromkeys((*row.indexes, index)))
    return Change(row=replace(row, indexes=held, state=DocumentState.READY if is_reread else row.state))


def lacking(row: DocumentRow, tenant: Tenant, index: str) -> LiveDocument | None:
    """Return the live version, if there is one that the index is not known to hold whole."""
    if row.generation is None or index in row.indexes:
        return None
    sequence, _, attempt = row.generation.partition(".")
    newest = row.state is DocumentState.READY and row.sequence == sequence and row.hidden_from is None
    version = DocumentVersion(
        tenant=tenant,
        document_id=row.document_id,
        name=row.name,
        object_key=object_key(tenant, row.name),
        version_id=row.version_id if newest else None,
        sequence=sequence,
        size_bytes=row.size_bytes,
        attempt=int(attempt),
    )
    return LiveDocument(version=version, passages=row.passages, newest=newest)


def awaits(row: DocumentRow, document: DocumentVersion) -> bool:
    """Tell whether this try may still become live."""
    newest = (row.sequence, row.attempt) == (document.sequence, document.attempt)
    return newest and row.state is DocumentState.INGESTING


def hidden(row: DocumentRow, *, now: float) -> Change | None:
    """Hide the document until a deletion after its newest known change arrives.

    One that was only awaited is deleted at once: the bucket may have nothing whose deletion it could announce.
    """
    if row.state is DocumentState.DELETED:
        return None
    if row.state is DocumentState.AWAITING_UPLOAD:
        return Change(row=replace(row, state=DocumentState.DELETED, updated_at=now), seen=True)
    return Change(row=replace(row, hidden_from=row.sequence, updated_at=now), seen=True)


def closed(row: DocumentRow, deletion: DocumentVersion, *, now: float) -> Change | None:
    """Leave a tombstone, or where a newer change is known, take down only what the deletion covers."""
    if deletion.sequence > row.sequence:
        tombstone = DocumentRow(
            document_id=row.document_id, revision=row.revision, sequence=deletion.sequence, updated_at=now
        )
        return Change(row=tombstone, seen=True)
    left = row
    if row.generation is not None and _sequence(row.generation) <= deletion.sequence:
        left = replace(
            left, generation=None, title=None, passages=0, tokens=0, source=NO_FACTS, indexes=(), contexts=None
        )
    if row.hidden_from is not None and row.hidden_from < deletion.sequence:
        left = replace(left, hidden_from=None)
    return None if left == row else Change(row=left, seen=True)


def erased_through(row: DocumentRow) -> str | None:
    """Return the sequence up to which a deleted document may go; None while its deletion is awaited.

    Of one that was uploaded anew since, that is what comes before its newest upload; "" stands for nothing.
    """
    if row.state in (DocumentState.DELETED, DocumentState.AWAITING_UPLOAD):
        return row.sequence
    return None if row.hidden_from is not None else sequence_before(row.sequence)


def live_generation(row: DocumentRow) -> str | None:
    """Return the generation that searches may show."""
    return row.generation if row.hidden_from is None else None


def redrivable(row: DocumentRow, tenant: Tenant, *, key: str, now: float) -> DocumentVersion | None:
    """Return the version that may be tried again: one that was refused, or whose try has ended without a word."""
    if row.hidden_from is not None or not (_is_stuck(row, now=now) or row.state is DocumentState.REFUSED):
        return None
    return known_of(row, tenant, key=key).newest


def known_of(row: DocumentRow, tenant: Tenant, *, key: str) -> KnownDocument:
    """Return what a comparison with the bucket needs to know."""
    newest = DocumentVersion(
        tenant=tenant,
        document_id=row.document_id,
        name=row.name,
        object_key=key,
        version_id=row.version_id,
        sequence=row.sequence,
        size_bytes=row.size_bytes,
        attempt=row.attempt,
    )
    return KnownDocument(newest=newest, state=row.state, hidden_from=row.hidden_from, updated_at=row.updated_at)


def record_of(row: DocumentRow) -> DocumentRecord:
    """Return what the API shows: a hidden document is being deleted, whatever else goes on with it."""
    is_hidden = row.hidden_from is not None and row.state is not DocumentState.DELETED
    return DocumentRecord(
        document_id=row.document_id,
        name=row.name,
        state=DocumentState.DELETING if is_hidden else row.state,
        updated_at=row.updated_at,
        size_bytes=row.size_bytes,
        title=row.title,
        passages=row.passages,
        tokens=row.tokens,
        generation=row.generation,
        reason=row.reason,
        message=row.message,
        attempted_at=row.attempted_at,
        content_sha256=row.source.content_sha256 or None,
        labels=row.source.labels,
        contexts=row.contexts,
    )


def _is_stuck(row: DocumentRow, *, now: float) -> bool:
    """Return whether the newest try must have ended, and has told nothing."""
    return row.state is DocumentState.INGESTING and row.updated_at + STUCK_SECONDS < now


def _next_try(row: DocumentRow, document: DocumentVersion, *, execution: str, now: float) -> DocumentRow:
    tried = row.attempted_at if document.sequence == row.sequence else ()
    return replace(
        row,
        state=DocumentState.INGESTING,
        sequence=document.sequence,
        attempt=len(tried) + 1,
        attempted_at=(*tried, now),
        claimed_by=execution,
        name=document.name,
        size_bytes=document.size_bytes,
        version_id=document.version_id,
        updated_at=now,
        reason=None,
        message=None,
    )


def _is_live(row: DocumentRow, document: DocumentVersion) -> bool:
    return row.generation is not None and _sequence(row.generation) == document.sequence


def _sequence(generation: str) -> str:
    return generation.partition(".")[0]
