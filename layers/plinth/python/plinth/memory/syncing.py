"""What the bucket has and the documents' rows do not, or the other way round: changes whose event was lost.

Rows are read before the bucket is listed: a document that was added in between is then missing from the rows, where
waiting heals it, and never from the listing, where it would be erased.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from plinth.contracts.memory import CurrentObject, DocumentState, DocumentVersion, KnownDocument
from plinth.contracts.tenant import Tenant
from plinth.memory.document_row import STUCK_SECONDS
from plinth.memory.naming import deletion_after, document_id, object_key, sequence_after

_GONE = (DocumentState.DELETED, DocumentState.AWAITING_UPLOAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A machine to start, with the version or the deletion that nobody told of."""

    kind: Literal["ingest", "erase"]
    document: DocumentVersion


def repairs(
    tenant: Tenant, known: Mapping[str, KnownDocument], objects: Iterable[CurrentObject], *, settled: float, now: float
) -> Iterator[Repair]:
    """Yield what brings rows (`known`, by document id) in line with the bucket: each object once, then what is gone.

    What changed after `settled` (Unix seconds) is left alone: its event may be on its way.
    """
    there: set[str] = set()
    for found in objects:
        each = document_id(tenant, found.name)
        there.add(each)
        row = known.get(each)
        if found.modified_at >= settled or (row and row.updated_at >= settled):
            continue
        if row and row.hidden_from is not None:
            if _came_after_its_deletion(found, row, row.hidden_from):
                yield _deletion_after(row.hidden_from, row)
        elif version := _untold(tenant, found, row, now=now):
            yield Repair(kind="ingest", document=version)
    for each, row in known.items():
        if each not in there and row.updated_at < settled and row.state not in _GONE:
            yield _deletion_after(row.newest.sequence, row)


def _came_after_its_deletion(found: CurrentObject, row: KnownDocument, hidden_from: str) -> bool:
    """Return whether the object is newer than what the API hid, so that the deletion's event was lost.

    One that is still what was hidden stays so: somebody asked for its deletion, and was told that it failed.
    """
    return row.newest.sequence > hidden_from or row.newest.version_id != found.version_id


def _deletion_after(known: str, row: KnownDocument) -> Repair:
    deletion = replace(row.newest, sequence=deletion_after(known), version_id=None, attempt=0)
    return Repair(kind="erase", document=deletion)


def _untold(tenant: Tenant, found: CurrentObject, row: KnownDocument | None, *, now: float) -> DocumentVersion | None:
    """Return the version to ingest: one that no row knows, or whose try has ended without a word."""
    if row and row.newest.version_id == found.version_id:
        stuck = row.state is DocumentState.INGESTING and row.updated_at + STUCK_SECONDS < now
        return row.newest if stuck else None
    return DocumentVersion(
        tenant=tenant,
        document_id=document_id(tenant, found.name),
        name=found.name,
        object_key=object_key(tenant, found.name),
        version_id=found.version_id,
        sequence=sequence_after(row.newest.sequence if row else ""),
        size_bytes=found.size_bytes,
    )
