"""What is asked of the search engine, in the subset of queries that every OpenSearch and our own engine share."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from plinth.contracts.memory import DocumentVersion, Labels, Passage, SearchScope, Span
from plinth.contracts.tenant import Tenant
from plinth.memory.labels import open_to, readers_of

Json = Mapping[str, object]

# Distinct counts are exact to far above a document's passages; the value is OpenSearch's maximum.
_PRECISION = 40_000
# Each word is a clause per field, and a character can be a word: OpenSearch refuses over 1,024 clauses
# (indices.query.bool.max_clause_count).
_SEARCHED_CHARACTERS = 500
_KEYWORD = {"type": "keyword"}

MAPPING_VERSION = 3
"""Raised with every change of the mapping: an index of another version is another index."""


def versioned(name: str) -> str:
    """Return the name of the index of that kind under this mapping."""
    return f"{name}-m{MAPPING_VERSION}"


def index_definition(*, dimension: int) -> Json:
    """Return the explicit mapping; fields are never guessed from documents."""
    return {
        "settings": {"index": {"knn": True}},
        "mappings": {
            "dynamic": "strict",
            "properties": {
                "chunk_id": _KEYWORD,
                "tenant": _KEYWORD,
                "document_id": _KEYWORD,
                "generation": _KEYWORD,
                "seq": _KEYWORD,
                "position": {"type": "integer"},
                "text": {"type": "text"},
                "vector": {
                    "type": "knn_vector",
                    "dimension": dimension,
                    "method": {"name": "hnsw", "space_type": "cosinesimil", "engine": "lucene"},
                },
                "name": _KEYWORD,
                "title": _KEYWORD,
                "above": {"type": "text"},
                "page": {"type": "integer"},
                "heading": _KEYWORD,
                "start": {"type": "integer"},
                "end": {"type": "integer"},
                "tokens": {"type": "integer"},
                "metadata": _KEYWORD,
                "access": _KEYWORD,
            },
        },
    }


def chunk_id(document: DocumentVersion, position: int) -> str:
    """Return the natural key of a passage within its tenant."""
    return f"{document.document_id}:{document.generation}:{position:06d}"


def natural_id(document: DocumentVersion, position: int) -> str:
    """Return the id of a passage in the index that tenants share: no write can meet another tenant's passage."""
    return f"{document.tenant.id}:{chunk_id(document, position)}"


def passage_source(document: DocumentVersion, title: str, passage: Passage, labels: Labels) -> dict[str, object]:
    """Return a passage as it is indexed, but for its vector; absent page and heading are left out."""
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
    return source


def by_meaning(scope: SearchScope, vector: Sequence[float], *, size: int) -> Json:
    """Search the nearest vectors; the scope's filter is inside the knn clause, so it costs no hits."""
    knn = {"vector": {"vector": vector, "k": size, "filter": {"bool": {"filter": _within(scope)}}}}
    return {"size": size, "_source": {"excludes": ["vector"]}, "query": {"knn": knn}}


def by_words(scope: SearchScope, question: str, *, size: int) -> Json:
    """Search the words of the question's first 500 characters in the text and what stands above it."""
    words = question[:_SEARCHED_CHARACTERS]
    return {
        "size": size,
        "_source": {"excludes": ["vector"]},
        "query": {
            "bool": {
                "filter": _within(scope),
                "should": [{"match": {"text": words}}, {"match": {"above": words}}],
                "minimum_should_match": 1,
            }
        },
    }


def vectors_of(tenant: Tenant, document_id: str, generation: str, *, first: int, passages: int) -> Json:
    """Read texts and vectors of so many passages of a generation, from the first position; each may be there twice."""
    filters = [
        _term("tenant", tenant.id),
        _term("document_id", document_id),
        _term("generation", generation),
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
