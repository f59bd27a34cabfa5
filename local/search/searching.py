"""What a search answers: the hits of one page, their sources, the total, and counts of keyword values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Annotated

import msgspec
import numpy as np

from local.search.clauses import Clause, Matches
from local.search.errors import parsing_error
from local.search.index import Index
from local.search.mapping import KeywordField, Mappings, NumberField, Strict
from local.search.ranking import SortKey, best_rows, read_sort, sort_value, sorted_rows
from local.search.shard import Shard
from local.search.store import DocumentStore, StoredDocument

Json = dict[str, object]

# OpenSearch's defaults: index.max_result_window, and the total up to which hits are counted exactly.
RESULT_WINDOW = 10_000
EXACT_TOTAL = 10_000

Count = Annotated[int, msgspec.Meta(ge=0)]


class SourceFilter(Strict, frozen=True):
    """Which fields of the source are answered; patterns may hold *."""

    includes: str | Sequence[str] = ()
    excludes: str | Sequence[str] = ()

    def keeps(self, name: str) -> bool:
        """Whether a field is answered."""
        includes, excludes = _listed(self.includes), _listed(self.excludes)
        wanted = not includes or any(fnmatchcase(name, pattern) for pattern in includes)
        return wanted and not any(fnmatchcase(name, pattern) for pattern in excludes)


class CardinalityBody(Strict, frozen=True):
    """Count the distinct values of a field. The count is exact, whatever the threshold."""

    field: str
    precision_threshold: Count = 3000


class TermsBody(Strict, frozen=True):
    """Count the documents of each of a field's most frequent values."""

    field: str
    size: Annotated[int, msgspec.Meta(ge=1)] = 10


class Aggregation(Strict, frozen=True):
    """One count of values, of one of two kinds."""

    cardinality: CardinalityBody | None = None
    terms: TermsBody | None = None


class SearchBody(Strict, frozen=True):
    """The body of a search; a key that is not here is refused."""

    query: Json | None = None
    size: Count = 10
    from_: Count = msgspec.field(name="from", default=0)
    source: bool | str | list[str] | SourceFilter = msgspec.field(name="_source", default=True)
    sort: str | Json | list[str | Json] | None = None
    track_total_hits: bool | int = EXACT_TOTAL
    aggs: Mapping[str, Aggregation] = MappingProxyType({})
    aggregations: Mapping[str, Aggregation] = MappingProxyType({})


@dataclass(frozen=True)
class Search:
    """A search that fits its index's mapping."""

    body: SearchBody
    clause: Clause
    sort: tuple[SortKey, ...]
    aggregations: Mapping[str, Aggregation]


def read_search(index: Index, body: SearchBody) -> Search:
    """Check a search against its index; raises SearchRequestError."""
    if body.size + body.from_ > RESULT_WINDOW:
        raise parsing_error(f"from + size must be at most {RESULT_WINDOW}")
    clause = index.queries.read(body.query if body.query is not None else {"match_all": {}})
    sort = read_sort(body.sort) if body.sort is not None else ()
    mappings = index.definition.mappings
    for key in sort:
        kind = mappings.properties.get(key.field)
        if key.field != "_score" and not isinstance(kind, KeywordField | NumberField):
            raise parsing_error(f"[sort] serves _score, keyword, number and date fields, not [{key.field}]")
    aggregations = {**body.aggs, **body.aggregations}
    for name, aggregation in aggregations.items():
        _check_aggregation(name, aggregation, mappings)
    return Search(body, clause, sort, aggregations)


def _check_aggregation(name: str, aggregation: Aggregation, mappings: Mappings) -> None:
    kinds = [kind for kind in (aggregation.cardinality, aggregation.terms) if kind is not None]
    if len(kinds) != 1:
        raise parsing_error(f"the aggregation [{name}] needs exactly one of cardinality, terms")
    if not isinstance(mappings.properties.get(kinds[0].field), KeywordField):
        raise parsing_error(f"the aggregation [{name}] serves keyword fields, not [{kinds[0].field}]")


def run_search(index: Index, search: Search) -> Json:
    """Answer a search: hits, and aggregations if any were asked for."""
    body = search.body
    with index.reading() as (shard, store):
        matches = search.clause.match(shard)
        limit = body.from_ + body.size
        ranked = sorted_rows(shard, matches, search.sort, limit) if search.sort else best_rows(matches, limit)
        hits = _hits(index.name, (shard, store), matches, search, ranked[body.from_ :])
        counted = {name: _aggregate(shard, matches, one) for name, one in search.aggregations.items()}
        total = int(np.count_nonzero(matches[0]))
    highest = float(matches[1][matches[0]].max()) if total and body.size and not search.sort else None
    answer: Json = {"hits": {**_total(total, body.track_total_hits), "max_score": highest, "hits": hits}}
    return {**answer, "aggregations": counted} if counted else answer


def _total(total: int, wanted: bool | int) -> Json:  # noqa: FBT001 - the value that the body holds
    if wanted is False:
        return {}
    if wanted is True or total <= wanted:
        return {"total": {"value": total, "relation": "eq"}}
    return {"total": {"value": wanted, "relation": "gte"}}


def _hits(
    name: str, seen: tuple[Shard, DocumentStore], matches: Matches, search: Search, rows: list[int]
) -> list[Json]:
    shard, store = seen
    stored = store.read([shard.keys[row] for row in rows])
    scored = not search.sort or any(key.field == "_score" for key in search.sort)
    hits: list[Json] = []
    for row in rows:
        document = stored[shard.keys[row]]
        hit: Json = {"_index": name, "_id": document.id, "_score": float(matches[1][row]) if scored else None}
        if document.routing is not None:
            hit["_routing"] = document.routing
        if search.body.source is not False:
            hit["_source"] = source_of(document, search.body.source)
        if search.sort:
            hit["sort"] = [sort_value(shard, matches, key, row) for key in search.sort]
        hits.append(hit)
    return hits


def source_of(document: StoredDocument, wanted: bool | str | list[str] | SourceFilter) -> Json:  # noqa: FBT001
    """Return the fields of a document that are wanted; vectors come back as the float32 they are stored as."""
    source = msgspec.json.decode(document.source, type=Json)
    if isinstance(wanted, bool):
        wanted = SourceFilter()
    chosen = wanted if isinstance(wanted, SourceFilter) else SourceFilter(includes=wanted)
    kept = {name: value for name, value in source.items() if chosen.keeps(name)}
    vectors = {name: vector.tolist() for name, vector in document.vectors.items() if chosen.keeps(name)}
    return {**kept, **vectors}


def _aggregate(shard: Shard, matches: Matches, aggregation: Aggregation) -> Json:
    wanted = aggregation.cardinality or aggregation.terms
    if wanted is None:
        raise parsing_error("an aggregation without a kind")
    values = shard.keywords[wanted.field].values
    counts = Counter(value for row in np.flatnonzero(matches[0]) for value in values.get(int(row), ()))
    if isinstance(wanted, CardinalityBody):
        return {"value": len(counts)}
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return {
        "doc_count_error_upper_bound": 0,
        "sum_other_doc_count": sum(count for _, count in ranked[wanted.size :]),
        "buckets": [{"key": key, "doc_count": count} for key, count in ranked[: wanted.size]],
    }


def _listed(patterns: str | Sequence[str]) -> Sequence[str]:
    return patterns.split(",") if isinstance(patterns, str) else patterns
