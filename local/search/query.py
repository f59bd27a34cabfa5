"""Which queries are served, and how each is read; whatever is not listed here is refused, never ignored."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Literal, TypeVar, cast

import msgspec
import numpy as np

from local.search.analysis import words
from local.search.clauses import Bool, Clause, Constant, Nearest, Words
from local.search.documents import read_number, read_string, read_term, read_vector
from local.search.errors import SearchRequestError, parsing_error
from local.search.mapping import (
    BooleanField,
    Field,
    KeywordField,
    Mappings,
    NumberField,
    Strict,
    TextField,
    VectorField,
    is_object,
)
from local.search.shard import Shard
from local.search.terms import Mask
from local.search.vectors import least_score_within

Json = dict[str, object]
Body = TypeVar("Body")

MOST_NEIGHBOURS = 10_000
MOST_TERMS = 65_536
MOST_LEVELS = 60


class MatchBody(Strict, frozen=True):
    """A text to analyse, and whether all its words are needed."""

    query: object
    operator: Literal["or", "and", "OR", "AND"] = "or"


class TermBody(Strict, frozen=True):
    """A value to find as it is."""

    value: object


class IdsBody(Strict, frozen=True):
    """Identifiers of documents."""

    values: list[str]


class ExistsBody(Strict, frozen=True):
    """The field that must have a value."""

    field: str


class RangeBody(Strict, frozen=True):
    """The ends of a range, each inside (gte, lte) or outside (gt, lt) of it."""

    gt: object = None
    gte: object = None
    lt: object = None
    lte: object = None


class BoolBody(Strict, frozen=True):
    """Clauses by the part they play."""

    must: Json | Sequence[Json] = ()
    filter: Json | Sequence[Json] = ()
    should: Json | Sequence[Json] = ()
    must_not: Json | Sequence[Json] = ()
    minimum_should_match: Annotated[int, msgspec.Meta(ge=0)] | None = None


class KnnBody(Strict, frozen=True):
    """A vector and how far its neighbours may be."""

    vector: object
    k: Annotated[int, msgspec.Meta(ge=1, le=MOST_NEIGHBOURS)] | None = None
    min_score: float | None = None
    max_distance: float | None = None
    filter: Json | None = None


class QueryReader:
    """Reads queries against one mapping; every method raises SearchRequestError for what is not served."""

    def __init__(self, mappings: Mappings) -> None:
        self._fields = mappings.properties
        self._readers: Mapping[str, Callable[[object], Clause]] = {
            "match_all": self._match_all,
            "match": self._match,
            "term": self._term,
            "terms": self._terms,
            "ids": self._ids,
            "range": self._range,
            "exists": self._exists,
            "bool": self._bool,
            "knn": self._knn,
        }

    def read(self, query: object) -> Clause:
        """Return the clause of a query object with exactly one kind of query in it."""
        if _is_deeper(query, MOST_LEVELS):
            raise parsing_error(f"the query is nested too deeply: at most {MOST_LEVELS} levels of JSON are read")
        return self._read(query)

    def _read(self, query: object) -> Clause:
        name, body = _only_entry("query", query)
        if name not in self._readers:
            raise parsing_error(f"unknown query [{name}]; served are {sorted(self._readers)}")
        return self._readers[name](body)

    def _match_all(self, body: object) -> Clause:
        _shaped("match_all", body, Strict)
        return Constant(lambda shard: shard.live.copy())

    def _match(self, body: object) -> Clause:
        name, given = _only_entry("match", body)
        wanted = _shaped("match", given if is_object(given) else {"query": given}, MatchBody)
        kind = self._field("match", name)
        if isinstance(kind, TextField):
            found = _value("match", name, partial(read_string, wanted.query))
            return Words(name, tuple(words(found)), needs_all=wanted.operator.lower() == "and")
        return self._equal(name, kind, wanted.query)

    def _term(self, body: object) -> Clause:
        name, given = _only_entry("term", body)
        wanted = _shaped("term", given if is_object(given) else {"value": given}, TermBody)
        return self._equal(name, self._field("term", name), wanted.value)

    def _equal(self, name: str, kind: Field, value: object) -> Clause:
        if isinstance(kind, VectorField):
            raise parsing_error(f"[{name}] is a knn_vector field, use the knn query")
        if isinstance(kind, NumberField):
            number = _value("term", name, partial(read_number, value, kind))
            return Constant(lambda shard: shard.numbers[name].rows_with([number], shard.live))
        return Words(name, (self._as_term("term", name, kind, value),))

    def _terms(self, body: object) -> Clause:
        name, given = _only_entry("terms", body)
        values = _shaped("terms", given, list[object])
        if len(values) > MOST_TERMS:
            raise parsing_error(f"[terms] takes at most {MOST_TERMS} values")
        kind = self._field("terms", name)
        if isinstance(kind, VectorField):
            raise parsing_error(f"[{name}] is a knn_vector field, use the knn query")
        if isinstance(kind, NumberField):
            numbers = [_value("terms", name, partial(read_number, value, kind)) for value in values]
            return Constant(lambda shard: shard.numbers[name].rows_with(numbers, shard.live))
        terms = [self._as_term("terms", name, kind, value) for value in values]
        return Constant(
            lambda shard: (shard.words if name in shard.words else shard.keywords)[name].rows_with(terms, shard.live)
        )

    def _as_term(self, query: str, name: str, kind: KeywordField | BooleanField | TextField, value: object) -> str:
        if isinstance(kind, TextField):
            return _value(query, name, partial(read_string, value))
        return _value(query, name, partial(read_term, value, kind))

    def _ids(self, body: object) -> Clause:
        wanted = _shaped("ids", body, IdsBody).values
        return Constant(lambda shard: _rows_of(shard, wanted))

    def _exists(self, body: object) -> Clause:
        name = _shaped("exists", body, ExistsBody).field
        self._field("exists", name)
        return Constant(lambda shard: shard.rows_filled(name))

    def _range(self, body: object) -> Clause:
        name, given = _only_entry("range", body)
        wanted = _shaped("range", given, RangeBody)
        kind = self._field("range", name)
        if isinstance(kind, NumberField):
            low, high = _bounds(name, kind, wanted)
            return Constant(lambda shard: shard.numbers[name].rows_between(low, high, shard.live))
        if isinstance(kind, KeywordField):
            bounds = {s: read_string(v) for s, v in msgspec.structs.asdict(wanted).items() if v is not None}
            return Constant(lambda shard: shard.keywords[name].rows_between(partial(_inside, bounds), shard.live))
        raise parsing_error(f"[range] serves keyword, integer, long and date fields, not [{name}]")

    def _bool(self, body: object) -> Clause:
        wanted = _shaped("bool", body, BoolBody)
        must, chosen, should, never = (
            tuple(self._read(clause) for clause in ([given] if is_object(given) else given))
            for given in (wanted.must, wanted.filter, wanted.should, wanted.must_not)
        )
        least = wanted.minimum_should_match
        if least is None:
            least = 1 if should and not must and not chosen else 0
        return Bool(must, chosen, should, never, least)

    def _knn(self, body: object) -> Clause:
        name, given = _only_entry("knn", body)
        wanted = _shaped("knn", given, KnnBody)
        kind = self._field("knn", name)
        if not isinstance(kind, VectorField):
            raise SearchRequestError(f"Field '{name}' is not knn_vector type.")
        bounds = [one for one in (wanted.k, wanted.min_score, wanted.max_distance) if one is not None]
        if len(bounds) != 1:
            raise SearchRequestError(f"[knn] on [{name}] needs exactly one of k, min_score, max_distance")
        vector = _value("knn", name, partial(read_vector, wanted.vector, kind))
        least = wanted.min_score
        if wanted.max_distance is not None:
            least = least_score_within(wanted.max_distance, kind.method)
        within = self._read(wanted.filter) if wanted.filter is not None else None
        return Nearest(name, vector, within, wanted.k, least or 0.0)

    def _field(self, query: str, name: str) -> Field:
        if name not in self._fields:
            raise parsing_error(f"[{query}] names the field [{name}], which is not in the mapping")
        return self._fields[name]


def _is_deeper(value: object, levels: int) -> bool:
    """Return whether objects and lists stand in one another to more than so many levels."""
    inside: list[object] = [value]
    for _ in range(levels):
        inside = [item for each in inside for item in _items(each)]
        if not inside:
            return False
    return True


def _items(value: object) -> Iterable[object]:
    if is_object(value):
        return value.values()
    return cast("list[object]", value) if isinstance(value, list) else ()


def _only_entry(query: str, body: object) -> tuple[str, object]:
    entries = _shaped(query, body, Json)
    if len(entries) != 1:
        raise parsing_error(f"[{query}] needs exactly one entry, got {sorted(entries)}")
    return next(iter(entries.items()))


def _shaped(query: str, body: object, shape: type[Body]) -> Body:
    try:
        return msgspec.convert(body, type=shape)
    except msgspec.ValidationError as error:
        raise parsing_error(f"[{query}] query: {error}") from error


def _value(query: str, name: str, read: Callable[[], Body]) -> Body:
    try:
        return read()
    except (TypeError, ValueError) as error:
        raise SearchRequestError(f"[{query}] on [{name}]: {error}", kind="search_phase_execution_exception") from error


def _rows_of(shard: Shard, identifiers: list[str]) -> Mask:
    mask = np.zeros(len(shard.live), dtype=np.bool_)
    mask[[shard.row_of[one] for one in identifiers if one in shard.row_of]] = True
    return mask


def _bounds(name: str, kind: NumberField, wanted: RangeBody) -> tuple[int, int]:
    def bound(value: object) -> int:
        return _value("range", name, partial(read_number, value, kind))

    low = max(
        kind.lowest if wanted.gte is None else bound(wanted.gte),
        kind.lowest if wanted.gt is None else bound(wanted.gt) + 1,
    )
    high = min(
        kind.highest if wanted.lte is None else bound(wanted.lte),
        kind.highest if wanted.lt is None else bound(wanted.lt) - 1,
    )
    return low, high


def _inside(bounds: Mapping[str, str], term: str) -> bool:
    return (
        ("gt" not in bounds or term > bounds["gt"])
        and ("gte" not in bounds or term >= bounds["gte"])
        and ("lt" not in bounds or term < bounds["lt"])
        and ("lte" not in bounds or term <= bounds["lte"])
    )
