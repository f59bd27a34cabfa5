"""Whatever is outside the served subset is a 400 that names it; the engine is stricter than OpenSearch here."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from local.search.engine import Engine
from local.search.routes import LARGEST_BODY_BYTES, build_application
from tests.conformance.passages import FEW, Json, mapping


@pytest.fixture
def http(tmp_path: Path) -> Iterator[TestClient]:
    """Return the engine's HTTP face in this process, with an index of a few passages."""
    engine = Engine(tmp_path / "data")
    with TestClient(build_application(engine), raise_server_exceptions=False) as client:
        client.put("/p", json=mapping())
        for passage in FEW:
            client.put(f"/p/_doc/{passage['chunk_id']}", json=passage)
        yield client
    engine.close()


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"fuzzy": {"text": "fox"}}, "fuzzy"),
        ({"match": {"text": {"query": "fox", "boost": 2}}}, "boost"),
        ({"match": {"text": {"query": "fox", "operator": "xor"}}}, "xor"),
        ({"match": {"text": "a", "title": "b"}}, "match"),
        ({"match": {"unmapped": "fox"}}, "unmapped"),
        ({"term": {"unmapped": 1}}, "unmapped"),
        ({"term": {"position": "first"}}, "position"),
        ({"term": {"vector": [1.0]}}, "vector"),
        ({"range": {"position": {"from": 1}}}, "from"),
        ({"range": {"text": {"gte": "a"}}}, "text"),
        ({"range": {"at": {"gte": "now-1d"}}}, "at"),
        ({"exists": {"field": "unmapped"}}, "unmapped"),
        ({"bool": {"must": [], "boost": 1}}, "boost"),
        ({"bool": {"should": [], "minimum_should_match": "75%"}}, "minimum_should_match"),
        ({"bool": {"filter": [{"prefix": {"tenant": "r"}}]}}, "prefix"),
        ({"knn": {"text": {"vector": [1.0], "k": 1}}}, "text"),
        ({"knn": {"vector": {"vector": [1.0] * 8, "k": 1, "rescore": True}}}, "rescore"),
        ({"knn": {"vector": {"vector": [1.0] * 8, "k": 1, "filter": {"wildcard": {}}}}}, "wildcard"),
        ({"match_all": {"boost": 1}}, "boost"),
        ({"match_all": {}, "ids": {"values": []}}, "query"),
        ({}, "query"),
    ],
)
@pytest.mark.parametrize("endpoint", ["_search", "_count", "_delete_by_query"])
def test_a_query_outside_the_subset_is_refused_by_name(
    http: TestClient, query: Json, named: str, endpoint: str
) -> None:
    answer = http.post(f"/p/{endpoint}", json={"query": query})

    assert answer.status_code == 400
    body = answer.json()
    assert body["status"] == 400
    assert body["error"]["root_cause"] == [{"type": body["error"]["type"], "reason": body["error"]["reason"]}]
    assert named in body["error"]["reason"]
    assert http.get("/p/_count").json()["count"] == len(FEW)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"explain": True}, "explain"),
        ({"highlight": {}}, "highlight"),
        ({"size": -1}, "size"),
        ({"size": 10_001}, "10000"),
        ({"from": 9_999, "size": 2}, "10000"),
        ({"size": "ten"}, "size"),
        ({"sort": ["text"]}, "text"),
        ({"sort": [{"position": "up"}]}, "position"),
        ({"sort": [{"position": {"order": "asc", "mode": "min"}}]}, "position"),
        ({"aggs": {"n": {"avg": {"field": "position"}}}}, "avg"),
        ({"aggs": {"n": {"cardinality": {"field": "text"}}}}, "text"),
        ({"aggs": {"n": {"terms": {"field": "tenant"}, "cardinality": {"field": "tenant"}}}}, "exactly one"),
        ({"_source": {"include": ["text"]}}, "include"),
    ],
)
def test_a_search_body_outside_the_subset_is_refused_by_name(http: TestClient, body: Json, named: str) -> None:
    answer = http.post("/p/_search", json=body)

    assert (answer.status_code, named in answer.json()["error"]["reason"]) == (400, True)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/p/_search?explain=true"),
        ("GET", "/p/_search?q=fox"),
        ("GET", "/p/_search?size=-1"),
        ("GET", "/p/_search?track_total_hits=maybe"),
        ("POST", "/_bulk?pipeline=x"),
        ("POST", "/p/_refresh?force=true"),
        ("GET", "/_cat/indices"),
        ("GET", "/_search"),
        ("GET", "/_nodes"),
        ("PUT", "/_plain"),
        ("PATCH", "/p"),
        ("POST", "/p/_update/a"),
        ("PUT", "/p/_doc/a?op_type=upsert"),
        ("POST", "/p/_bulk?refresh=soon"),
    ],
)
def test_an_unknown_path_method_or_parameter_is_a_400(http: TestClient, method: str, path: str) -> None:
    answer = http.request(method, path, content=b'{"delete": {"_id": "zz"}}\n' if "bulk" in path else b"")

    assert (answer.status_code, answer.json()["status"]) == (400, 400)


def change(path: str, value: object) -> Json:
    """Return the usual mapping with one value in it replaced."""
    body: Json = json.loads(json.dumps(mapping()))
    *parents, last = path.split(".")
    place = body
    for name in parents:
        place = place[name]
    place[last] = value
    return body


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("mappings.dynamic", True),
        ("mappings.properties.text.type", "match_only_text"),
        ("mappings.properties.text.analyzer", "english"),
        ("mappings.properties.tenant.ignore_above", 10),
        ("mappings.properties.vector.dimension", 0),
        ("mappings.properties.vector.method.name", "ivf"),
        ("mappings.properties.vector.method.space_type", "hamming"),
        ("mappings.properties.vector.method.engine", "nmslib"),
        ("mappings.properties.vector.method.parameters", {"ef": 1}),
        ("mappings._source", {"enabled": False}),
        ("settings.index.knn", False),
        ("settings.index.codec", "best_compression"),
        ("settings.index.sort.field", "tenant"),
        ("aliases", {}),
    ],
)
def test_a_mapping_or_setting_outside_the_subset_is_refused(http: TestClient, path: str, value: object) -> None:
    answer = http.put(
        "/other",
        json=change(path, value)
        if path != "settings.index.sort.field"
        else {**mapping(), "settings": {"index": {"knn": True, "sort": {"field": "tenant"}}}},
    )

    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "mapper_parsing_exception")
    assert http.head("/other").status_code == 404


def test_a_gzipped_body_is_read_and_a_false_one_refused(http: TestClient) -> None:
    body = gzip.compress(json.dumps({"query": {"match": {"text": "brown"}}}).encode())
    headers = {"content-encoding": "gzip", "content-type": "application/json"}

    assert http.post("/p/_count", content=body, headers=headers).json()["count"] == 1
    assert http.post("/p/_count", content=b"plain", headers=headers).status_code == 400


def test_a_gzip_bomb_is_refused_without_being_unpacked(http: TestClient) -> None:
    bomb = gzip.compress(b" " * (LARGEST_BODY_BYTES + 1), compresslevel=1)

    answer = http.post("/p/_search", content=bomb, headers={"content-encoding": "gzip"})

    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "content_too_long_exception")


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b'{"query": null, "size": 1e999}', b"[" * 100_000])
def test_a_body_that_is_not_the_json_expected_is_a_400(http: TestClient, content: bytes) -> None:
    assert http.post("/p/_search", content=content).status_code == 400


def test_a_deeply_nested_query_is_refused(http: TestClient) -> None:
    query = b'{"bool":{"must":' * 400 + b'{"match_all":{}}' + b"}}" * 400

    assert http.post("/p/_search", content=b'{"query":' + query + b"}").status_code == 400
