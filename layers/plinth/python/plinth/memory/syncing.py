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
from plinth.memory.naming import document_id, object_key, sequence_after

SETTLE_SECONDS = 900.0
"""How long an event may be on its way, and a change is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A machine to start, with the version or the deletion that nobody told of."""

    kind: Literal["ingest", "erase"]
    document: DocumentVersion


def repairs(
    tenant: Tenant, known: Mapping[str, KnownDocument], objects: Iterable[CurrentObject], *, now: float
) -> Iterator[Repair]:
    """Yield what brings rows (`known`, by document id) in line with the bucket: each object once, then what is gone."""
    there: set[str] = set()
    for found in objects:
        each = document_id(tenant, found.name)
        there.add(each)
        if version := _untold(tenant, found, known.get(each), now=now):
            yield Repair(kind="ingest", document=version)
    for each, row in known.items():
        if each not in there and _is_over(row, now=now):
            after = replace(row.newest, sequence=sequence_after(row.newest.sequence), version_id=None, attempt=0)
            yield Repair(kind="erase", document=after)


def _untold(tenant: Tenant, found: CurrentObject, row: KnownDocument | None, *, now: float) -> DocumentVersion | None:
    """Return the version to ingest: one that no row knows, or whose try has ended without a word."""
    if row and row.newest.version_id == found.version_id:
        stuck = row.state is DocumentState.INGESTING and row.updated_at + STUCK_SECONDS < now
        return row.newest if stuck and not row.hidden else None
    if found.modified_at + SETTLE_SECONDS > now or (row and (row.hidden or row.updated_at + SETTLE_SECONDS > now)):
        return None
    return DocumentVersion(
        tenant=tenant,
        document_id=document_id(tenant, found.name),
        name=found.name,
        object_key=object_key(tenant, found.name),
        version_id=found.version_id,
        sequence=sequence_after(row.newest.sequence if row else ""),
        size_bytes=found.size_bytes,
    )


def _is_over(row: KnownDocument, *, now: float) -> bool:
    gone_already = row.state in (DocumentState.DELETED, DocumentState.AWAITING_UPLOAD)
    return not gone_already and row.updated_at + SETTLE_SECONDS < now
