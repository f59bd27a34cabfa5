"""The local engine answers as OpenSearch does: same hits, same order, scores within 1e-4."""

import random

import numpy as np
import pytest
from opensearchpy import OpenSearch

from tests.conformance.conftest import MakeIndex, write
from tests.conformance.passages import Json, draw_passages, draw_vector, draw_words

TENANTS = ("red", "blue", "green")


def draw_query(draw: random.Random) -> Json:
    """Return a query of any kind that is served."""
    tenant: Json = {"term": {"tenant": draw.choice(TENANTS)}}
    match: Json = {"match": {draw.choice(["text", "title"]): draw_words(draw, draw.randrange(1, 5))}}
    low = draw.randrange(300)
    knn: Json = {"vector": draw_vector(draw), "k": draw.randrange(1, 30), "filter": tenant}
    both = {"text": {"query": draw_words(draw, 2), "operator": "and"}}
    return draw.choice(
        [
            match,
            tenant,
            {"match": both},
            {"term": {"fresh": True}},
            {"terms": {"tenant": draw.sample(TENANTS, 2)}},
            {"range": {"position": {"gte": low, "lt": low + 50}}},
            {"knn": {"vector": knn}},
            {"bool": {"must": [match], "filter": [tenant]}},
            {"bool": {"must": [match, {"match": both}], "should": [tenant]}},
            {"bool": {"should": [match, tenant, {"exists": {"field": "title"}}], "minimum_should_match": 2}},
            {"bool": {"must": {"knn": {"vector": knn}}, "should": match}},
            {"bool": {"must_not": [tenant, {"exists": {"field": "vector"}}]}},
        ]
    )


def assert_same_hits(ours: Json, theirs: Json, query: Json) -> None:
    """Fail unless two answers have the same total and the same hits, in order, with the same scores."""
    assert ours["hits"]["total"] == theirs["hits"]["total"], query
    assert [hit["_id"] for hit in ours["hits"]["hits"]] == [hit["_id"] for hit in theirs["hits"]["hits"]], query
    for mine, other in zip(ours["hits"]["hits"], theirs["hits"]["hits"], strict=True):
        assert mine["_score"] == pytest.approx(other["_score"], abs=1e-4), query
    assert ours["hits"]["max_score"] == pytest.approx(theirs["hits"]["max_score"], abs=1e-4), query


def scores_by_id(client: OpenSearch, index: str, query: Json) -> dict[str, float]:
    """Return the score of every hit; for comparisons in which the order of equal scores does not count."""
    answer = client.search(index=index, body={"query": query, "size": 1000})
    return {hit["_id"]: hit["_score"] for hit in answer["hits"]["hits"]}


@pytest.mark.parametrize("space_type", ["cosinesimil", "l2", "innerproduct"])
def test_random_queries_have_the_same_hits_order_and_scores_as_opensearch(
    local_client: OpenSearch, real_client: OpenSearch, make_index: MakeIndex, space_type: str
) -> None:
    passages = draw_passages(300)
    indexes = [(one, make_index(one, passages, space_type=space_type)) for one in (local_client, real_client)]
    draw = random.Random(space_type)

    for _ in range(120):
        query = draw_query(draw)
        ours, theirs = (one.search(index=name, body={"query": query, "size": 50}) for one, name in indexes)
        assert_same_hits(ours, theirs, query)


def test_deletes_change_the_hits_alike_and_the_scores_nearly(
    local_client: OpenSearch, real_client: OpenSearch, make_index: MakeIndex
) -> None:
    """OpenSearch counts deleted documents in its word statistics until it has merged them away; we never do."""
    passages = draw_passages(300)
    indexes = [(one, make_index(one, passages)) for one in (local_client, real_client)]
    for one, name in indexes:
        one.delete_by_query(index=name, body={"query": {"term": {"tenant": "red"}}}, params={"refresh": "true"})
        write(one, name, draw_passages(20, seed=8))
    draw = random.Random(3)

    for _ in range(40):
        query = {"match": {"text": draw_words(draw, 3)}}
        ours, theirs = (scores_by_id(one, name, query) for one, name in indexes)
        assert ours == pytest.approx(theirs, rel=0.3)


@pytest.mark.parametrize("space_type", ["cosinesimil", "l2", "innerproduct"])
@pytest.mark.parametrize("bound", ["min_score", "max_distance"])
def test_every_hit_that_opensearch_finds_within_a_bound_is_found_with_the_same_score(
    local_client: OpenSearch, real_client: OpenSearch, make_index: MakeIndex, space_type: str, bound: str
) -> None:
    """OpenSearch walks its graph and may miss a hit; the local engine is exact and may not."""
    passages = draw_passages(300)
    indexes = [(one, make_index(one, passages, space_type=space_type)) for one in (local_client, real_client)]
    draw = random.Random(space_type)
    found_by_each = np.zeros(2)

    for _ in range(20):
        least = draw.uniform(0.5, 0.9) if bound == "min_score" else draw.uniform(0.1, 0.9)
        query = {"knn": {"vector": {"vector": draw_vector(draw), bound: least}}}
        ours, theirs = (scores_by_id(one, name, query) for one, name in indexes)
        assert theirs.keys() <= ours.keys()
        found_by_each += np.array([len(theirs), len(ours)])
        assert theirs == pytest.approx({name: ours[name] for name in theirs}, abs=1e-4)
    assert found_by_each[0] >= 0.9 * found_by_each[1]
