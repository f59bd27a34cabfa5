"""How what the search engine answers is read: hits within a scope, passages, vectors, and what was written."""

from typing import NamedTuple

import msgspec

from plinth.contracts.memory import EVERYONE, Labels, Passage, SearchScope, StoredPassage
from plinth.memory.labels import may_see


class Source(msgspec.Struct, kw_only=True):
    """A passage as it is indexed."""

    chunk_id: str
    tenant: str = ""
    document_id: str
    generation: str
    name: str
    title: str
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
    metadata: tuple[str, ...] = ()
    access: tuple[str, ...] = ()
    vector: list[float] = []


class Hit(msgspec.Struct):
    """One hit; without a source where none was asked for."""

    id: str = msgspec.field(name="_id")
    source: Source | None = msgspec.field(name="_source", default=None)
    score: float | None = msgspec.field(name="_score", default=None)


class Whole(NamedTuple):
    """A hit with its source."""

    source: Source
    score: float | None


class Hits(msgspec.Struct):
    """The hits of one search."""

    hits: list[Hit]


class Failure(msgspec.Struct):
    """Why a part of a request failed."""

    type: str = "unknown"


class Found(msgspec.Struct):
    """One search's answer: hits, or an error with its status."""

    status: int = 200
    hits: Hits | None = None
    error: Failure | None = None
    aggregations: dict[str, dict[str, int]] = {}


class Written(msgspec.Struct):
    """What became of one item of a bulk."""

    status: int
    error: Failure | None = None


class MultiSearch(msgspec.Struct):
    """The answers of a multi-search, in order."""

    responses: list[Found]


class Bulk(msgspec.Struct):
    """What became of the items of a bulk, each under its action."""

    items: list[dict[str, Written]]


def hits_of(found: Found) -> list[Hit]:
    """Return the hits, none of a search that failed."""
    return found.hits.hits if found.hits else []


def within(scope: SearchScope, found: Found) -> list[Whole]:
    """Return the hits that the scope holds, whatever the engine says."""
    return [Whole(hit.source, hit.score) for hit in hits_of(found) if hit.source and _is_within(hit.source, scope)]


def _is_within(source: Source, scope: SearchScope) -> bool:
    own = source.tenant == scope.tenant.id
    return own and may_see(scope, access=source.access, metadata=source.metadata)


def passage_of(source: Source) -> Passage:
    """Return the passage as it was split."""
    return msgspec.convert(source, Passage, from_attributes=True)


def labels_of(source: Source) -> Labels:
    """Return the labels that the passage was indexed with."""
    access = () if source.access == (EVERYONE,) else source.access
    return Labels(metadata=source.metadata, access=access)


def stored(source: Source, score: float, near: Whole | None) -> StoredPassage:
    """Return the passage; OpenSearch gives (1 + cosine) / 2 as the score of the space cosinesimil."""
    similarity = None if near is None or near.score is None else 2 * near.score - 1
    fields = {**msgspec.structs.asdict(source), "score": score, "similarity": similarity}
    return msgspec.convert(fields, StoredPassage)
