"""Documents: written one by one or in bulk, read by identifier, replaced and deleted, refused item by item."""

import pytest
from opensearchpy import NotFoundError, OpenSearch, RequestError, helpers

from tests.conformance.conftest import MakeIndex
from tests.conformance.passages import DIMENSION, FEW, Json

VECTOR = [0.5, -0.25, 3.0, 0.0, 1.0, 2.0, -1.0, 0.125]


def statuses(answer: Json) -> list[tuple[str, int]]:
    return [(next(iter(item)), next(iter(item.values()))["status"]) for item in answer["items"]]


def test_each_bulk_action_has_its_own_outcome(client: OpenSearch, make_index: MakeIndex) -> None:
    name = make_index(client, FEW)
    lines = [
        {"index": {"_id": "a"}}, {"chunk_id": "a"},
        {"index": {"_id": "new"}}, {"chunk_id": "new"},
        {"create": {"_id": "b"}}, {"chunk_id": "b"},
        {"delete": {"_id": "c"}},
        {"delete": {"_id": "missing"}},
        {"index": {"_id": "bad"}}, {"chunk_id": "bad", "unmapped": 1},
        {"index": {"_id": "short"}}, {"chunk_id": "short", "vector": [1.0, 2.0]},
        {"index": {"_id": "word"}}, {"chunk_id": "word", "position": "many"},
        {"index": {"_index": "conformance-absent", "_id": "x", "require_alias": False}}, {"chunk_id": "x"},
    ][:-2]  # fmt: skip

    answer = client.bulk(index=name, body=lines, params={"refresh": "true"})

    assert answer["errors"] is True
    assert statuses(answer) == [
        ("index", 200), ("index", 201), ("create", 409), ("delete", 200), ("delete", 404),
        ("index", 400), ("index", 400), ("index", 400),
    ]  # fmt: skip
    errors = [next(iter(item.values())).get("error", {}).get("type") for item in answer["items"]]
    assert errors[2] == "version_conflict_engine_exception"
    assert errors[5:] == ["strict_dynamic_mapping_exception", "mapper_parsing_exception", "mapper_parsing_exception"]
    found = client.search(index=name, body={"size": 20})["hits"]["hits"]
    assert {hit["_id"] for hit in found} == {"a", "b", "d", "e", "f", "new"}


def test_a_bulk_helper_streams_documents_into_several_batches(client: OpenSearch, make_index: MakeIndex) -> None:
    name = make_index(client)
    actions = [{"_index": name, "_id": f"p{number}", "_source": {"position": number}} for number in range(250)]

    done, errors = helpers.bulk(client, actions, chunk_size=100, refresh=True)

    assert (done, errors) == (250, [])
    assert client.count(index=name)["count"] == 250


@pytest.mark.parametrize(
    "body",
    [
        '{"index": {"_id": "a"}}\n',
        '{"frobnicate": {"_id": "a"}}\n{}\n',
        "not json\n{}\n",
        '{"index": {"_id": "a"}}\n{}',
    ],
)
def test_a_malformed_bulk_is_refused_as_a_whole(client: OpenSearch, make_index: MakeIndex, body: str) -> None:
    name = make_index(client)

    with pytest.raises(RequestError):
        client.transport.perform_request(
            "POST", f"/{name}/_bulk", body=body.encode(), headers={"content-type": "application/x-ndjson"}
        )

    assert client.count(index=name)["count"] == 0


def test_a_document_is_read_back_as_it_was_written(client: OpenSearch, make_index: MakeIndex) -> None:
    source = {"chunk_id": "é/1", "text": "naïve \u65e5\u672c", "position": -3, "fresh": None, "vector": VECTOR}
    name = make_index(client)

    written = client.index(index=name, id="é/1", body=source, params={"routing": "red"})
    read = client.get(index=name, id="é/1", params={"routing": "red"})

    assert (written["result"], written["_version"]) == ("created", 1)
    assert (read["found"], read["_version"], read["_routing"], read["_source"]) == (True, 1, "red", source)


def test_a_missing_document_is_a_404(client: OpenSearch, make_index: MakeIndex) -> None:
    name = make_index(client, FEW)

    assert not client.exists(index=name, id="zzz")
    with pytest.raises(NotFoundError) as got:
        client.get(index=name, id="zzz")
    with pytest.raises(NotFoundError) as deleted:
        client.delete(index=name, id="zzz")
    assert got.value.info["found"] is False
    assert deleted.value.info["result"] == "not_found"


def test_a_replaced_document_is_found_once_and_only_by_its_new_words(client: OpenSearch, make_index: MakeIndex) -> None:
    name = make_index(client, FEW)

    answer = client.index(index=name, id="a", body={"chunk_id": "a", "text": "lazy dog"}, params={"refresh": "true"})

    assert (answer["result"], answer["_version"]) == ("updated", 2)
    assert client.count(index=name)["count"] == len(FEW)
    assert client.count(index=name, body={"query": {"match": {"text": "brown"}}})["count"] == 0
    assert client.count(index=name, body={"query": {"match": {"text": "LAZY"}}})["count"] == 1
    assert client.count(index=name, body={"query": {"exists": {"field": "tenant"}}})["count"] == len(FEW) - 1


def test_a_document_without_an_identifier_is_given_one(client: OpenSearch, make_index: MakeIndex) -> None:
    name = make_index(client)

    answer = client.index(index=name, body={"chunk_id": "x"})

    assert client.get(index=name, id=answer["_id"])["_source"] == {"chunk_id": "x"}


def test_creating_a_document_that_exists_is_a_conflict(client: OpenSearch, make_index: MakeIndex) -> None:
    name = make_index(client, FEW)

    answer = client.index(index=name, id="a", body={"chunk_id": "z"}, params={"op_type": "create"}, ignore=409)

    assert answer["error"]["type"] == "version_conflict_engine_exception"
    assert client.get(index=name, id="a")["_source"]["chunk_id"] == "a"


@pytest.mark.parametrize(
    "vector",
    [
        [1.0] * (DIMENSION - 1),
        [1.0] * (DIMENSION + 1),
        [0.0] * DIMENSION,
        ["one"] * DIMENSION,
        "text",
        [1e300] * DIMENSION,
    ],
)
def test_a_vector_that_does_not_fit_is_refused(client: OpenSearch, make_index: MakeIndex, vector: object) -> None:
    name = make_index(client)

    with pytest.raises(RequestError) as refusal:
        client.index(index=name, id="a", body={"vector": vector})

    assert refusal.value.error == "mapper_parsing_exception"


def test_documents_are_deleted_by_query(client: OpenSearch, make_index: MakeIndex) -> None:
    name = make_index(client, FEW)

    answer = client.delete_by_query(
        index=name, body={"query": {"terms": {"tenant": ["red", "blue"]}}}, params={"refresh": "true"}
    )

    assert (answer["deleted"], answer["version_conflicts"], answer["failures"]) == (4, 0, [])
    assert {hit["_id"] for hit in client.search(index=name)["hits"]["hits"]} == {"e", "f"}
