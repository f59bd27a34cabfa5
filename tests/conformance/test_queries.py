"""Queries: which documents each kind finds, in what order they come and what of them is shown."""

import pytest
from opensearchpy import OpenSearch

from tests.conformance.conftest import MakeIndex
from tests.conformance.passages import FEW, Json

FOX: Json = {"match": {"text": "fox"}}
RED: Json = {"term": {"tenant": "red"}}
QUICK: Json = {"match": {"text": "quick"}}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"match_all": {}}, "abcdef"),
        (FOX, "abd"),
        ({"match": {"text": "SNAILS, fox?"}}, "abcd"),
        ({"match": {"text": {"query": "quick fox red", "operator": "and"}}}, "b"),
        ({"match": {"text": "don"}}, ""),
        ({"match": {"text": "DON'T"}}, "c"),
        ({"match": {"text": "2.19"}}, "d"),
        ({"match": {"text": "..."}}, ""),
        ({"match": {"tenant": "red"}}, "ab"),
        ({"match": {"page": 2}}, "b"),
        ({"term": {"tenant": "Red"}}, ""),
        ({"term": {"tenant": {"value": "red"}}}, "ab"),
        ({"term": {"position": 3}}, "d"),
        ({"term": {"fresh": True}}, "d"),
        ({"term": {"fresh": "false"}}, "e"),
        ({"term": {"text": "fox"}}, "abd"),
        ({"term": {"text": "Fox"}}, ""),
        ({"terms": {"tenant": ["red", "green"]}}, "abef"),
        ({"terms": {"position": [1, 2, 99]}}, "bc"),
        ({"terms": {"tenant": []}}, ""),
        ({"ids": {"values": ["a", "f", "zz"]}}, "af"),
        ({"range": {"position": {"gte": 2, "lt": 4}}}, "cd"),
        ({"range": {"position": {"gt": 2, "lte": 4}}}, "de"),
        ({"range": {"tenant": {"gte": "blue", "lt": "red"}}}, "cdef"),
        ({"range": {"at": {"gte": "2024-06-01T12:00:00Z"}}}, "ce"),
        ({"range": {"at": {"lt": 1717243200000}}}, "a"),
        ({"exists": {"field": "text"}}, "abcde"),
        ({"exists": {"field": "page"}}, "ab"),
        ({"exists": {"field": "vector"}}, ""),
        ({"bool": {}}, "abcdef"),
        ({"bool": {"must": [FOX], "filter": [RED]}}, "ab"),
        ({"bool": {"filter": RED, "must_not": QUICK}}, ""),
        ({"bool": {"must_not": [FOX, RED]}}, "cef"),
        ({"bool": {"should": [FOX, {"term": {"tenant": "green"}}]}}, "abdef"),
        ({"bool": {"filter": [RED], "should": [QUICK]}}, "ab"),
        ({"bool": {"should": [FOX, QUICK, RED], "minimum_should_match": 3}}, "ab"),
        ({"bool": {"filter": [FOX], "should": [RED], "minimum_should_match": 1}}, "ab"),
        ({"bool": {"must": {"bool": {"should": [RED, {"ids": {"values": ["e"]}}]}}}}, "abe"),
    ],
)
def test_a_query_finds_the_documents_it_describes(
    client: OpenSearch, make_index: MakeIndex, query: Json, found: str
) -> None:
    name = make_index(client, FEW)

    answer = client.search(index=name, body={"query": query, "size": 20})

    assert {hit["_id"] for hit in answer["hits"]["hits"]} == set(found)
    assert answer["hits"]["total"] == {"value": len(found), "relation": "eq"}
    assert client.count(index=name, body={"query": query})["count"] == len(found)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ([{"position": "desc"}], "fedcba"),
        ([{"tenant": {"order": "asc"}}, {"position": {"order": "desc"}}], "dcfeba"),
        (["tenant", {"page": "desc"}, "chunk_id"], "cdefba"),
        ([{"at": "desc"}, {"chunk_id": "desc"}], "ecafdb"),
    ],
)
def test_hits_come_in_the_order_asked_for_and_without_a_value_last(
    client: OpenSearch, make_index: MakeIndex, sort: object, order: str
) -> None:
    name = make_index(client, FEW)

    hits = client.search(index=name, body={"sort": sort})["hits"]["hits"]

    assert "".join(hit["_id"] for hit in hits) == order
    assert {hit["_score"] for hit in hits} == {None}


def test_sort_values_are_shown_with_each_hit(client: OpenSearch, make_index: MakeIndex) -> None:
    name = make_index(client, FEW)

    answer = client.search(index=name, body={"query": FOX, "sort": ["_score", {"tenant": "asc"}], "size": 1})

    (hit,) = answer["hits"]["hits"]
    assert hit["sort"] == [pytest.approx(hit["_score"]), "red"]
    assert answer["hits"]["max_score"] is None


def test_pages_follow_each_other_without_gap_or_overlap(client: OpenSearch, make_index: MakeIndex) -> None:
    name = make_index(client, FEW)

    pages = [client.search(index=name, body={"from": start, "size": 4})["hits"]["hits"] for start in (0, 4, 8)]

    assert [len(page) for page in pages] == [4, 2, 0]
    assert {hit["_id"] for page in pages for hit in page} == set("abcdef")


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (False, None),
        (True, {"chunk_id", "tenant", "position", "text", "page", "at"}),
        ("text", {"text"}),
        (["text", "p*"], {"text", "position", "page"}),
        ({"includes": ["p*"], "excludes": ["page"]}, {"position"}),
        ({"excludes": ["text", "at"]}, {"chunk_id", "tenant", "position", "page"}),
    ],
)
def test_a_source_shows_the_fields_asked_for(
    client: OpenSearch, make_index: MakeIndex, wanted: object, shown: set[str] | None
) -> None:
    name = make_index(client, FEW)

    (hit,) = client.search(index=name, body={"query": {"ids": {"values": ["a"]}}, "_source": wanted})["hits"]["hits"]

    assert (set(hit["_source"]) if "_source" in hit else None) == shown


@pytest.mark.parametrize(
    ("track", "total"),
    [(True, {"value": 6, "relation": "eq"}), (False, None), (4, {"value": 4, "relation": "gte"})],
)
def test_a_total_is_counted_as_far_as_asked(
    client: OpenSearch, make_index: MakeIndex, track: object, total: Json | None
) -> None:
    name = make_index(client, FEW)

    answer = client.search(index=name, body={"track_total_hits": track, "size": 1, "sort": ["chunk_id"]})

    assert answer["hits"].get("total") == total


def test_keyword_values_are_counted_over_the_documents_that_match(client: OpenSearch, make_index: MakeIndex) -> None:
    name = make_index(client, FEW)
    aggregations = {"chunks": {"cardinality": {"field": "chunk_id"}}, "by": {"terms": {"field": "tenant", "size": 2}}}

    answer = client.search(index=name, body={"size": 0, "aggs": aggregations, "query": {"range": {"page": {"gte": 0}}}})
    everything = client.search(index=name, body={"size": 0, "aggs": aggregations})["aggregations"]

    assert answer["aggregations"]["chunks"] == {"value": 2}
    assert answer["aggregations"]["by"]["buckets"] == [{"key": "red", "doc_count": 2}]
    assert everything["chunks"] == {"value": 6}
    assert everything["by"]["buckets"] == [{"key": "blue", "doc_count": 2}, {"key": "green", "doc_count": 2}]
    assert everything["by"]["sum_other_doc_count"] == 2


def test_searches_sent_together_are_answered_in_their_order_even_if_one_fails(
    client: OpenSearch, make_index: MakeIndex
) -> None:
    name = make_index(client, FEW)
    lines = [
        {"index": name}, {"query": RED, "size": 0},
        {"index": "conformance-missing"}, {"query": RED},
        {}, {"query": FOX, "sort": ["chunk_id"]},
    ]  # fmt: skip

    first, missing, last = client.msearch(index=name, body=lines)["responses"]

    assert (first["status"], first["hits"]["total"]["value"], first["hits"]["hits"]) == (200, 2, [])
    assert (missing["status"], missing["error"]["type"]) == (404, "index_not_found_exception")
    assert [hit["_id"] for hit in last["hits"]["hits"]] == ["a", "b", "d"]
