"""How passages are searched: by meaning and by words in one request, fused, within one scope.

Every hit is checked again: one that carries another tenant or none, or that the scope does not hold, is dropped.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from opensearchpy import OpenSearch
from opensearchpy.exceptions import RequestError

from plinth.adapters.opensearch_client import connect, memory_errors, refusal
from plinth.adapters.opensearch_requests import (
    Json,
    by_meaning,
    by_words,
    count_of,
    ids_of_tenant,
    ids_of_versions,
    in_span,
    index_definition,
    lines,
    natural_id,
    passage_source,
    vectors_of,
)
from plinth.contracts.memory import NO_LABELS, DocumentVersion, Labels, Passage, SearchScope, Span, StoredPassage
from plinth.contracts.retrieval import DEFAULT_MIX, Mix
from plinth.contracts.tenant import Tenant
from plinth.errors import MemoryUnavailableError
from plinth.memory.fusion import fuse
from plinth.memory.labels import may_see

__all__ = ["OpenSearchMemory", "connect"]

_OVER_FETCH = 2  # duplicates and superseded versions take places in a ranking
_BULK = 200  # passages of one bulk request: about 2 MB at 384 dimensions
_WINDOW = 10_000  # OpenSearch's index.max_result_window
_MISSING_INDEX = "index_not_found_exception"


class _Source(msgspec.Struct, kw_only=True):
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
    metadata: tuple[str, ...] = ()
    access: tuple[str, ...] = ()
    vector: list[float] = []


class _Hit(msgspec.Struct):
    id: str = msgspec.field(name="_id")
    source: _Source | None = msgspec.field(name="_source", default=None)
    score: float | None = msgspec.field(name="_score", default=None)


class _Whole(NamedTuple):
    """A hit with its source."""

    source: _Source
    score: float | None


class _Hits(msgspec.Struct):
    hits: list[_Hit]


class _Failure(msgspec.Struct):
    type: str = "unknown"


class _Found(msgspec.Struct):
    """One search's answer: hits, or an error with its status."""

    status: int = 200
    hits: _Hits | None = None
    error: _Failure | None = None
    aggregations: dict[str, dict[str, int]] = {}


class _Written(msgspec.Struct):
    status: int
    error: _Failure | None = None


class _MultiSearch(msgspec.Struct):
    responses: list[_Found]


class _Bulk(msgspec.Struct):
    items: list[dict[str, _Written]]


class OpenSearchMemory:
    """`Memory` in one index. `natural_ids` is false on serverless vector collections, which give ids of their own.

    Duplicates that a retry then leaves are invisible: hits are collapsed and counted by chunk id, removal takes all.
    """

    def __init__(
        self,
        *,
        client: OpenSearch,
        index: str = "passages",
        dimension: int = 384,
        natural_ids: bool = True,
    ) -> None:
        self._client = client
        self._index = index
        self._dimension = dimension
        self._natural_ids = natural_ids
        self._ensured = False

    def ensure_index(self) -> None:
        """Create the index with its mapping, unless there is one."""
        if self._ensured:
            return
        with memory_errors():
            if not self._client.indices.exists(index=self._index):
                try:
                    self._client.indices.create(index=self._index, body=index_definition(dimension=self._dimension))
                except RequestError as error:
                    if error.error != "resource_already_exists_exception":
                        raise
        self._ensured = True

    def search(
        self,
        scope: SearchScope,
        question: str,
        vector: Sequence[float],
        *,
        limit: int,
        mix: Mix = DEFAULT_MIX,
    ) -> list[StoredPassage]:
        """Return the passages that rank best over both searches; before the first document there are none."""
        size = limit * _OVER_FETCH
        by_kind = self._searched(by_words(scope, question, size=size), by_meaning(scope, vector, size=size))
        words, vectors = ({hit.source.chunk_id: hit for hit in _within(scope, found)} for found in by_kind)
        ranked = fuse(list(words), list(vectors), mix=mix)[:limit]
        return [_stored((vectors.get(each) or words[each]).source, score, vectors.get(each)) for each, score in ranked]

    def around(self, scope: SearchScope, spans: Sequence[Span]) -> list[StoredPassage]:
        """Return what lies in the spans; duplicates of a retry are collapsed."""
        if not spans:
            return []
        queries = [in_span(scope, span, size=_OVER_FETCH * (span.last - span.first + 1)) for span in spans]
        met = {hit.source.chunk_id: hit.source for found in self._searched(*queries) for hit in _within(scope, found)}
        return [_stored(source, 0.0, None) for source in met.values()]

    def index(
        self,
        document: DocumentVersion,
        title: str,
        passages: Sequence[tuple[Passage, Sequence[float]]],
        *,
        labels: Labels = NO_LABELS,
    ) -> int:
        """Write the passages; return how many were written."""
        self.ensure_index()
        for start in range(0, len(passages), _BULK):
            actions: list[Json] = []
            for passage, vector in passages[start : start + _BULK]:
                key = {"_id": natural_id(document, passage.position)} if self._natural_ids else {}
                actions += [{"index": key}, {**passage_source(document, title, passage, labels), "vector": vector}]
            self._write(actions)
        return len(passages)

    def vectors(self, tenant: Tenant, document_id: str, generation: str) -> dict[str, Sequence[float]]:
        """Read the generation page by page, until a page is empty: positions have no gaps."""
        known: dict[str, Sequence[float]] = {}
        first = 0
        while True:
            query = vectors_of(tenant, document_id, generation, first=first, passages=_BULK)
            (found,) = self._searched(query)
            sources = [hit.source for hit in _hits(found) if hit.source and hit.source.tenant == tenant.id]
            if not sources:
                return known
            known |= {_stored(source, 0.0, None).in_context: source.vector for source in sources}
            first += _BULK

    def count(self, document: DocumentVersion) -> int:
        """Return how many distinct passages a search finds now."""
        (found,) = self._searched(count_of(document))
        return found.aggregations["passages"]["value"] if found.aggregations else 0

    def remove_older(self, document: DocumentVersion) -> int:
        """Delete what a search finds of the versions before this one."""
        return self._remove(ids_of_versions(document, "older", size=_WINDOW))

    def remove_this(self, document: DocumentVersion) -> int:
        """Delete what a search finds of this version."""
        return self._remove(ids_of_versions(document, "this", size=_WINDOW))

    def remove_through(self, document: DocumentVersion) -> int:
        """Delete what a search finds of the versions up to this one."""
        return self._remove(ids_of_versions(document, "through", size=_WINDOW))

    def remove_tenant(self, tenant: Tenant) -> int:
        """Delete what a search finds of the tenant, at most as much as one search can."""
        return self._remove_found(ids_of_tenant(tenant, size=_WINDOW))

    def _remove(self, query: Json) -> int:
        removed = self._remove_found(query)
        if removed == _WINDOW:
            raise MemoryUnavailableError(f"more than {_WINDOW} passages to delete: try again for the rest")
        return removed

    def _remove_found(self, query: Json) -> int:
        (found,) = self._searched(query)
        ids = [hit.id for hit in _hits(found)]
        for start in range(0, len(ids), _BULK):
            self._write([{"delete": {"_id": each}} for each in ids[start : start + _BULK]])
        return len(ids)

    def _searched(self, *queries: Json) -> list[_Found]:
        body = lines(part for query in queries for part in ({"index": self._index}, query))
        with memory_errors():
            found = msgspec.convert(self._client.msearch(body=body), _MultiSearch).responses
        for each in found:
            if each.error and each.error.type != _MISSING_INDEX:
                raise refusal(each.status, each.error.type)
        return found

    def _write(self, actions: Sequence[Json]) -> None:
        with memory_errors():
            answer = msgspec.convert(self._client.bulk(body=lines(actions), index=self._index), _Bulk)
        for item in answer.items:
            for written in item.values():
                if written.error:
                    raise refusal(written.status, written.error.type)


def _hits(found: _Found) -> list[_Hit]:
    return found.hits.hits if found.hits else []


def _within(scope: SearchScope, found: _Found) -> list[_Whole]:
    """Return the hits that the scope holds, whatever the engine says."""
    return [_Whole(hit.source, hit.score) for hit in _hits(found) if hit.source and _is_within(hit.source, scope)]


def _is_within(source: _Source, scope: SearchScope) -> bool:
    own = source.tenant == scope.tenant.id
    return own and may_see(scope, access=source.access, metadata=source.metadata)


def _stored(source: _Source, score: float, near: _Whole | None) -> StoredPassage:
    """Return the passage; OpenSearch gives (1 + cosine) / 2 as the score of the space cosinesimil."""
    similarity = None if near is None or near.score is None else 2 * near.score - 1
    return StoredPassage(
        chunk_id=source.chunk_id,
        document_id=source.document_id,
        generation=source.generation,
        name=source.name,
        title=source.title,
        position=source.position,
        text=source.text,
        score=score,
        page=source.page,
        heading=source.heading,
        above=source.above,
        start=source.start,
        end=source.end,
        tokens=source.tokens,
        metadata=source.metadata,
        access=source.access,
        similarity=similarity,
    )
