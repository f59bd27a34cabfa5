"""How passages are searched: by meaning and by words in one request, fused, within one scope.

Every hit is checked again: one that carries another tenant or none, or that the scope does not hold, is dropped.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress

import msgspec
from opensearchpy import OpenSearch
from opensearchpy.exceptions import NotFoundError, RequestError

from plinth.adapters.opensearch_client import connect, memory_errors, refusal
from plinth.adapters.opensearch_requests import (
    THIS_SHAPE,
    IndexShape,
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
    whole,
)
from plinth.adapters.opensearch_responses import (
    Bulk,
    Found,
    MultiSearch,
    Source,
    hits_of,
    labels_of,
    passage_of,
    stored,
    within,
)
from plinth.contracts.memory import (
    NO_LABELS,
    DocumentVersion,
    IndexedVersion,
    Labels,
    Passage,
    SearchScope,
    Span,
    StoredPassage,
)
from plinth.contracts.retrieval import Mix
from plinth.contracts.tenant import Tenant
from plinth.errors import MemoryUnavailableError
from plinth.memory.fusion import fuse

__all__ = ["OpenSearchMemory", "connect"]

_OVER_FETCH = 2  # duplicates and superseded versions take places in a ranking
_BULK = 200  # passages of one bulk request: about 2 MB at 384 dimensions
_WINDOW = 10_000  # OpenSearch's index.max_result_window
_MISSING_INDEX = "index_not_found_exception"


class OpenSearchMemory:
    """`Memory` in one index. `natural_ids` is false on serverless vector collections, which give ids of their own.

    A duplicate that a retry then leaves is invisible: hits are collapsed and counted by chunk id, removal takes all. Of
    more than one, some take the places of other passages, so no step writes again only because nothing shows yet.
    """

    def __init__(
        self,
        *,
        client: OpenSearch,
        index: str = "passages",
        dimension: int = 384,
        natural_ids: bool = True,
        shape: IndexShape = THIS_SHAPE,
    ) -> None:
        self._client = client
        self._index = index
        self._dimension = dimension
        self._natural_ids = natural_ids
        self._shape = shape
        self._ensured = False

    def ensure_index(self) -> None:
        """Create the index with its mapping, unless there is one."""
        if self._ensured:
            return
        definition = index_definition(dimension=self._dimension, shape=self._shape)
        with memory_errors():
            if not self._client.indices.exists(index=self._index):
                try:
                    self._client.indices.create(index=self._index, body=definition)
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
        mix: Mix,
    ) -> list[StoredPassage]:
        """Return the passages that rank best over both searches; before the first document there are none."""
        size = limit * _OVER_FETCH
        by_kind = self._searched(by_words(scope, question, size=size), by_meaning(scope, vector, size=size))
        words, vectors = ({hit.source.chunk_id: hit for hit in within(scope, found)} for found in by_kind)
        ranked = fuse(list(words), list(vectors), mix=mix)[:limit]
        return [stored((vectors.get(each) or words[each]).source, score, vectors.get(each)) for each, score in ranked]

    def around(self, scope: SearchScope, spans: Sequence[Span]) -> list[StoredPassage]:
        """Return what lies in the spans; duplicates of a retry are collapsed."""
        if not spans:
            return []
        queries = [in_span(scope, span, size=_OVER_FETCH * (span.last - span.first + 1)) for span in spans]
        met = {hit.source.chunk_id: hit.source for found in self._searched(*queries) for hit in within(scope, found)}
        return [stored(source, 0.0, None) for source in met.values()]

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
                source = passage_source(document, title, passage, labels, mapping=self._shape.mapping)
                actions += [{"index": key}, {**source, "vector": vector}]
            self._write(actions)
        return len(passages)

    def read(self, document: DocumentVersion) -> IndexedVersion:
        """Return what a search sees of the version, each position once."""
        by_position = {source.position: source for source in self._sources(document)}
        sources = [by_position[position] for position in sorted(by_position)]
        return IndexedVersion(
            title=sources[0].title if sources else "",
            labels=labels_of(sources[0]) if sources else NO_LABELS,
            passages=tuple((passage_of(source), source.vector) for source in sources),
        )

    def _sources(self, document: DocumentVersion) -> Iterator[Source]:
        """Read the version page by page, until a page is empty: positions have no gaps."""
        own, first = document.tenant.id, 0
        while True:
            (found,) = self._searched(whole(document, first=first, passages=_BULK))
            sources = [hit.source for hit in hits_of(found) if hit.source and hit.source.tenant == own]
            if not sources:
                return
            yield from sources
            first += _BULK

    def drop(self) -> None:
        """Delete the index with all that is in it."""
        with memory_errors(), suppress(NotFoundError):
            self._client.indices.delete(index=self._index)

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
        ids = [hit.id for hit in hits_of(found)]
        for start in range(0, len(ids), _BULK):
            self._write([{"delete": {"_id": each}} for each in ids[start : start + _BULK]])
        return len(ids)

    def _searched(self, *queries: Json) -> list[Found]:
        body = lines(part for query in queries for part in ({"index": self._index}, query))
        with memory_errors():
            found = msgspec.convert(self._client.msearch(body=body), MultiSearch).responses
        for each in found:
            if each.error and each.error.type != _MISSING_INDEX:
                raise refusal(each.status, each.error.type)
        return found

    def _write(self, actions: Sequence[Json]) -> None:
        with memory_errors():
            answer = msgspec.convert(self._client.bulk(body=lines(actions), index=self._index), Bulk)
        for item in answer.items:
            for written in item.values():
                if written.error:
                    raise refusal(written.status, written.error.type)
