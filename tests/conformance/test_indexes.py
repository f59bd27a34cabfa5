"""Indexes: made from an explicit mapping, described, removed; refused when they exist or are named badly."""

import os
from collections.abc import Callable

import pytest
from opensearchpy import NotFoundError, OpenSearch, RequestError

from tests.conformance.conftest import MakeIndex
from tests.conformance.passages import FEW, Json, mapping


def test_an_engine_says_that_it_is_opensearch_and_healthy(client: OpenSearch) -> None:
    assert client.info()["version"]["number"] >= "2"
    assert client.cluster.health()["status"] in {"green", "yellow"}


@pytest.mark.skipif(
    "OPENSEARCH_URL" not in os.environ,
    reason="CONFORMANCE LANE SKIPPED: OPENSEARCH_URL is not set, so no deployed OpenSearch was compared",
)
def test_a_deployed_opensearch_is_compared_where_one_is_named(url_client: OpenSearch) -> None:
    assert url_client.info()["version"]["number"] >= "2"


def test_an_index_exists_from_its_creation_to_its_deletion(client: OpenSearch, make_index: MakeIndex) -> None:
    name = make_index(client)

    assert client.indices.exists(index=name)
    assert client.indices.delete(index=name) == {"acknowledged": True}
    assert not client.indices.exists(index=name)


def test_a_mapping_is_described_as_it_was_given(client: OpenSearch, make_index: MakeIndex) -> None:
    name = make_index(client)

    described = client.indices.get_mapping(index=name)[name]["mappings"]

    assert described["dynamic"] == "strict"
    assert described["properties"]["chunk_id"] == {"type": "keyword"}
    assert described["properties"]["vector"]["method"]["space_type"] == "cosinesimil"
    assert client.indices.get(index=name)[name]["mappings"] == described


def test_an_index_that_exists_is_not_created_again(client: OpenSearch, make_index: MakeIndex) -> None:
    name = make_index(client, FEW)

    with pytest.raises(RequestError) as refusal:
        client.indices.create(index=name, body=mapping())

    assert (refusal.value.status_code, refusal.value.error) == (400, "resource_already_exists_exception")
    assert client.count(index=name)["count"] == len(FEW)


@pytest.mark.parametrize("name", ["Upper", "_hidden", "-dash", "with space", "a,b", "star*", "x" * 256])
def test_an_index_with_a_name_that_aws_would_refuse_is_not_created(client: OpenSearch, name: str) -> None:
    with pytest.raises(RequestError) as refusal:
        client.indices.create(index=name, body=mapping())

    assert refusal.value.error in {"invalid_index_name_exception", "illegal_argument_exception"}


@pytest.mark.parametrize(
    "request_to",
    [
        lambda client, name: client.search(index=name, body={"query": {"match_all": {}}}),
        lambda client, name: client.count(index=name),
        lambda client, name: client.get(index=name, id="a"),
        lambda client, name: client.indices.get_mapping(index=name),
        lambda client, name: client.indices.delete(index=name),
        lambda client, name: client.indices.refresh(index=name),
        lambda client, name: client.delete_by_query(index=name, body={"query": {"match_all": {}}}),
    ],
)
def test_a_missing_index_is_a_404_that_names_it(
    client: OpenSearch, request_to: Callable[[OpenSearch, str], Json]
) -> None:
    with pytest.raises(NotFoundError) as refusal:
        request_to(client, "conformance-missing")

    assert refusal.value.error == "index_not_found_exception"
    assert refusal.value.info["error"]["root_cause"][0]["reason"] == "no such index [conformance-missing]"
    assert refusal.value.info["status"] == 404
