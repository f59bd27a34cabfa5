"""What is answered when documents are searched, counted or deleted by a query."""

import time

import msgspec
import numpy as np

from local.search.call import SHARDS, SOURCE_PARAMETERS, Answer, Call, Json, read_body
from local.search.clauses import Clause
from local.search.engine import Engine
from local.search.errors import SearchRequestError, parsing_error
from local.search.mapping import Strict
from local.search.searching import SearchBody, read_search, run_search
from local.search.shard import Shard


class MultiSearchHeader(Strict, frozen=True):
    """The line before each body of a multi-search; routing changes nothing on one shard."""

    index: str | list[str] | None = None
    routing: str | None = None


class QueryBody(Strict, frozen=True):
    """The body of a count or of a delete by query."""

    query: Json


def search(call: Call) -> Answer:
    """Return the hits of one search; parameters override the body."""
    body = read_body(call.body, SearchBody)
    changes: Json = {}
    if any(name in call.parameters for name in SOURCE_PARAMETERS):
        changes["source"] = call.source_filter()
    if "track_total_hits" in call.parameters:
        given = f'{{"track_total_hits": {call.parameters["track_total_hits"]}}}'
        changes["track_total_hits"] = read_body(given.encode(), SearchBody).track_total_hits
    size, start = call.number("size", body.size), call.number("from", body.from_)
    return 200, _answer(call.engine, call.index, msgspec.structs.replace(body, size=size, from_=start, **changes))


def _answer(engine: Engine, name: str, body: SearchBody) -> Json:
    started = time.monotonic()
    index = engine.index(name)
    answer = run_search(index, read_search(index, body))
    took = round((time.monotonic() - started) * 1000)
    return {"took": took, "timed_out": False, "_shards": SHARDS, **answer}


def multi_search(call: Call) -> Answer:
    """Several searches; a search that fails is answered in its place and does not stop the others."""
    started = time.monotonic()
    lines = [line for line in call.body.split(b"\n") if line.strip()]
    if not lines or len(lines) % 2:
        raise parsing_error("a multi-search needs pairs of lines: a header and a body")
    responses = [_answer_line(call, *pair) for pair in zip(lines[::2], lines[1::2], strict=True)]
    return 200, {"took": round((time.monotonic() - started) * 1000), "responses": responses}


def _answer_line(call: Call, header: bytes, line: bytes) -> Json:
    try:
        given = read_body(header, MultiSearchHeader).index or call.path.get("index")
        names = given if isinstance(given, list) else [given]
        if len(names) != 1 or names[0] is None:
            raise SearchRequestError("each search of a multi-search names exactly one index")
        return {**_answer(call.engine, names[0], read_body(line, SearchBody)), "status": 200}
    except SearchRequestError as error:
        return error.body()


def count(call: Call) -> Answer:
    """How many documents match; all of them without a query."""
    index = call.engine.index(call.index)
    clause = index.queries.read(_query(call, {"match_all": {}}))
    with index.reading() as (shard, _):
        total = int(np.count_nonzero(clause.match(shard)[0]))
    return 200, {"count": total, "_shards": SHARDS}


def delete_by_query(call: Call) -> Answer:
    """Delete what matches; 409 if a match was changed since it became visible, unless conflicts=proceed."""
    started = time.monotonic()
    index = call.engine.index(call.index)
    clause = index.queries.read(_query(call, None))
    deleted, changed = index.delete_visible(lambda shard: _matching(clause, shard))
    if call.flag("refresh"):
        index.refresh()
    proceeds = call.parameters.get("conflicts") == "proceed"
    answer: Json = {"took": round((time.monotonic() - started) * 1000), "timed_out": False, "deleted": deleted}
    answer |= {"total": deleted + changed, "version_conflicts": changed, "failures": []}
    return (200 if proceeds or not changed else 409), answer


def _matching(clause: Clause, shard: Shard) -> list[tuple[str, int]]:
    return [(shard.ids[row], shard.keys[row]) for row in np.flatnonzero(clause.match(shard)[0])]


def _query(call: Call, default: Json | None) -> Json:
    if not call.body and default is not None:
        return default
    return read_body(call.body, QueryBody).query
