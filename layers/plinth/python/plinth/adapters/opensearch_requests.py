"""What is asked of the search engine, in the subset of queries that every OpenSearch and our own engine share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from plinth.contracts.indexes import AS_BY_DEFAULT, IndexSettings
from plinth.contracts.memory import DocumentVersion, Labels, Passage, SearchScope, Span
from plinth.contracts.tenant import Tenant
from plinth.memory.labels import open_to, readers_of

Json = Mapping[str, object]

# Distinct counts are exact to far above a document's passages; the value is OpenSearch's maximum.
_PRECISION = 40_000
# Each word is a clause per field, and a character can be a word: OpenSearch refuses over 1,024 clauses
# (indices.query.bool.max_clause_count).
_SEARCHED_CHARACTERS = 330
_SEARCHED_FIELDS = ("text", "above", "context")
_KEYWORD = {"type": "keyword"}

MAPPING_VERSION = 4
"""Raised with every change of the mapping; `plinth reindex` then makes an index under it beside the one in use."""

_FIELDS: Mapping[str, tuple[int, Json]] = {
    "chunk_id": (1, _KEYWORD),
    "tenant": (1, _KEYWORD),
    "document_id": (1, _KEYWORD),
    "generation": (1, _KEYWORD),
    "seq": (1, _KEYWORD),
    "position": (1, {"type": "integer"}),
    "text": (1, {"type": "text"}),
    "name": (1, _KEYWORD),
    "title": (1, _KEYWORD),
    "page": (1, {"type": "integer"}),
    "heading": (1, _KEYWORD),
    "metadata": (2, _KEYWORD),
    "access": (2, _KEYWORD),
    "above": (3, {"type": "text"}),
    "start": (3, {"type": "integer"}),
    "end": (3, {"type": "integer"}),
    "tokens": (3, {"type": "integer"}),
    "context": (4, {"type": "text"}),
    "context_key": (4, _KEYWORD),
}
"""Every field with the mapping that brought it: in an index of an earlier one it is not written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexShape:
    """How an index is made and written."""

    mapping: int = MAPPING_VERSION
    settings: IndexSettings = AS_BY_DEFAULT


THIS_SHAPE = IndexShape()


def index_definition(*, dimension: int, shape: IndexShape = THIS_SHAPE) -> Json:
    """Return the explicit mapping; fields are never guessed from documents."""
    settings = shape.settings
    method: dict[str, object] = {"name": "hnsw", "space_type": "cosinesimil", "engine": settings.engine}
    if graph := _given(m=settings.m, ef_construction=settings.ef_construction):
        method["parameters"] = graph
    vector = {"type": "knn_vector", "dimension": dimension, "method": method}
    fields = {name: kind for name, (since, kind) in _FIELDS.items() if since <= shape.mapping}
    sizes = _given(number_of_shards=settings.shards, number_of_replicas=settings.replicas)
    search = {"knn.algo_param.ef_search": settings.ef_search} if settings.ef_search else {}
    return {
        "settings": {"index": {"knn": True, **sizes, **search}},
        "mappings": {"dynamic": "strict", "properties": {**fields, "vector": vector}},
    }


def _given(**settings: int | None) -> dict[str, int]:
    return {name: value for name, value in settings.items() if value is not None}


def chunk_id(document: DocumentVersion, position: int) -> str:
    """Return the natural key of a passage within its tenant."""
    return f"{document.document_id}:{document.generation}:{position:06d}"


def natural_id(document: DocumentVersion, position: int) -> str:
    """Return the id of a passage in the index that tenants share: no write can meet another tenant's passage."""
    return f"{document.tenant.id}:{chunk_id(document, position)}"


def passage_source(
    document: DocumentVersion, title: str, passage: Passage, labels: Labels, *, mapping: int = MAPPING_VERSION
) -> dict[str, object]:
    """Return a passage as an index of that mapping holds it, but for its vector; what is absent is left out."""
    source: dict[str, object] = {
        "chunk_id": chunk_id(document, passage.position),
        "tenant": document.tenant.id,
        "document_id": document.document_id,
        "generation": document.generation,
        "seq": document.generation,
        "position": passage.position,
        "text": passage.text,
        "name": document.name,
        "title": title,
        "above": passage.above,
        "start": passage.start,
        "end": passage.end,
        "tokens": passage.tokens,
        "metadata": labels.metadata,
        "access": readers_of(labels),
    }
    if passage.page is not None:
        source["page"] = passage.page
    if passage.heading is not None:
        source["heading"] = passage.heading
    if passage.context:
        source |= {"context": passage.context, "context_key": passage.context_key}
    return {name: value for name, value in source.items() if _FIELDS[name][0] <= mapping}


def by_meaning(scope: SearchScope, vector: Sequence[float], *, size: int) -> Json:
    """Search the nearest vectors; the scope's filter is inside the knn clause, so it costs no hits."""
    knn = {"vector": {"vector": vector, "k": size, "filter": {"bool": {"filter": _within(scope)}}}}
    return {"size": size, "_source": {"excludes": ["vector"]}, "query": {"knn": knn}}


def by_words(scope: SearchScope, question: str, *, size: int) -> Json:
    """Search the words of the question's first 330 characters in the text, its context and what stands above it."""
    words = question[:_SEARCHED_CHARACTERS]
    return {
        "size": size,
        "_source": {"excludes": ["vector"]},
        "query": {
            "bool": {
                "filter": _within(scope),
                "should": [{"match": {field: words}} for field in _SEARCHED_FIELDS],
                "minimum_should_match": 1,
            }
        },
    }


def whole(document: DocumentVersion, *, first: int, passages: int) -> Json:
    """Read so many passages of a version with their vectors, from the first position; each may be there twice."""
    filters = [
        _term("tenant", document.tenant.id),
        _term("document_id", document.document_id),
        _term("generation", document.generation),
        {"range": {"position": {"gte": first, "lt": first + passages}}},
    ]
    return {"size": 2 * passages, "query": {"bool": {"filter": filters}}}


def in_span(scope: SearchScope, span: Span, *, size: int) -> Json:
    """Find the passages of a span, by position."""
    filters = [
        *_within(scope),
        _term("document_id", span.document_id),
        _term("generation", span.generation),
        {"range": {"position": {"gte": span.first, "lte": span.last}}},
    ]
    return {
        "size": size,
        "_source": {"excludes": ["vector"]},
        "query": {"bool": {"filter": filters}},
        "sort": [{"position": "asc"}],
    }


def count_of(document: DocumentVersion) -> Json:
    """Count the distinct passages of one version."""
    return {
        "size": 0,
        "query": _passages(document, _term("generation", document.generation)),
        "aggs": {"passages": {"cardinality": {"field": "chunk_id", "precision_threshold": _PRECISION}}},
    }


def ids_of_versions(document: DocumentVersion, which: Literal["older", "this", "through"], *, size: int) -> Json:
    """Find the passages of the document's versions before this one, of this one alone, or of both."""
    bounds = {"older": ("lt",), "this": ("gte", "lte"), "through": ("lte",)}[which]
    within = {"range": {"seq": dict.fromkeys(bounds, document.generation)}}
    return {"size": size, "_source": False, "query": _passages(document, within)}


def lines(parts: Iterable[Json]) -> bytes:
    """Return the newline-delimited JSON of a bulk or multi-search."""
    return b"".join(msgspec.json.encode(part) + b"\n" for part in parts)


def _within(scope: SearchScope) -> list[Json]:
    readers = {"terms": {"access": open_to(scope.held)}}
    return [_term("tenant", scope.tenant.id), readers, *({"terms": {"metadata": group}} for group in scope.metadata)]


def _passages(document: DocumentVersion, within: Json) -> Json:
    filters = [_term("tenant", document.tenant.id), _term("document_id", document.document_id), within]
    return {"bool": {"filter": filters}}


def _term(field: str, value: str) -> Json:
    return {"term": {field: value}}


def ids_of_tenant(tenant: Tenant, *, size: int) -> Json:
    """Find passages of a tenant, whatever their document."""
    return {"size": size, "_source": False, "query": {"bool": {"filter": [_term("tenant", tenant.id)]}}}
