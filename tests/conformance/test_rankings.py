"""Rankings: scores follow the published formulas, computed here once more in plain Python."""

import math
import random
import re
from collections import Counter

import pytest
from opensearchpy import OpenSearch, RequestError

from tests.conformance.conftest import MakeIndex
from tests.conformance.passages import Json, draw_passages, draw_vector

PASSAGES = draw_passages(120)
WITH_VECTOR = [passage for passage in PASSAGES if "vector" in passage]


def knn_score(space_type: str, left: list[float], right: list[float]) -> float:
    """Return the score of two vectors (OpenSearch documentation, "Spaces")."""
    product = sum(a * b for a, b in zip(left, right, strict=True))
    if space_type == "innerproduct":
        return product + 1 if product > 0 else 1 / (1 - product)
    if space_type == "l2":
        return 1 / (1 + sum((a - b) ** 2 for a, b in zip(left, right, strict=True)))
    return (1 + product / (math.hypot(*left) * math.hypot(*right))) / 2


def ranked(client: OpenSearch, index: str, query: Json, size: int = 10) -> list[tuple[str, float]]:
    hits = client.search(index=index, body={"query": query, "size": size, "_source": False})["hits"]["hits"]
    return [(hit["_id"], hit["_score"]) for hit in hits]


def assert_ranked(found: list[tuple[str, float]], expected: dict[str, float], count: int) -> None:
    """Fail unless `found` is the best `count` of the expected scores, in order, to 1e-4."""
    best = sorted(expected.items(), key=lambda item: -item[1])[:count]
    assert [name for name, _ in found] == [name for name, _ in best]
    assert [score for _, score in found] == pytest.approx([score for _, score in best], abs=1e-4)


@pytest.mark.parametrize("space_type", ["cosinesimil", "l2", "innerproduct"])
def test_nearest_neighbours_are_ranked_by_the_score_of_their_space(
    client: OpenSearch, make_index: MakeIndex, space_type: str
) -> None:
    name = make_index(client, PASSAGES, space_type=space_type)
    target = draw_vector(random.Random(5))

    found = ranked(client, name, {"knn": {"vector": {"vector": target, "k": 7}}})

    scores = {passage["chunk_id"]: knn_score(space_type, target, passage["vector"]) for passage in WITH_VECTOR}
    assert_ranked(found, scores, 7)


@pytest.mark.parametrize("k", [1, 5, 100])
def test_a_filter_inside_knn_is_exact_and_never_starves_the_result(
    client: OpenSearch, make_index: MakeIndex, k: int
) -> None:
    name = make_index(client, PASSAGES)
    target = draw_vector(random.Random(6))
    within = {"bool": {"filter": [{"term": {"tenant": "red"}}, {"range": {"position": {"gte": 60}}}]}}

    found = ranked(client, name, {"knn": {"vector": {"vector": target, "k": k, "filter": within}}}, size=100)

    scores = {
        passage["chunk_id"]: knn_score("cosinesimil", target, passage["vector"])
        for passage in WITH_VECTOR
        if passage["tenant"] == "red" and passage["position"] >= 60
    }
    assert_ranked(found, scores, min(k, len(scores)))


@pytest.mark.parametrize(("bound", "limit"), [("min_score", 0.6), ("max_distance", 0.8)])
def test_neighbours_within_a_bound_are_all_found(
    client: OpenSearch, make_index: MakeIndex, bound: str, limit: float
) -> None:
    name = make_index(client, PASSAGES[:30])
    target = draw_vector(random.Random(7))

    found = ranked(client, name, {"knn": {"vector": {"vector": target, bound: limit}}}, size=100)

    scores = {
        one["chunk_id"]: knn_score("cosinesimil", target, one["vector"]) for one in PASSAGES[:30] if "vector" in one
    }
    near = {chunk: score for chunk, score in scores.items() if score >= 0.6}
    assert near
    assert_ranked(found, near, len(near))


@pytest.mark.parametrize(
    "knn",
    [
        {"vector": [1.0] * 8},
        {"vector": [1.0] * 8, "k": 1, "min_score": 0.5},
        {"vector": [1.0] * 7, "k": 1},
        {"vector": [0.0] * 8, "k": 1},
        {"vector": [1.0] * 8, "k": 0},
        {"k": 1},
    ],
)
def test_a_knn_query_that_makes_no_sense_is_refused(client: OpenSearch, make_index: MakeIndex, knn: Json) -> None:
    name = make_index(client, PASSAGES[:10])

    with pytest.raises(RequestError):
        client.search(index=name, body={"query": {"knn": {"vector": knn}}})


def bm25_scores(words: list[str], k1: float = 1.2, b: float = 0.75) -> dict[str, float]:
    """Return Lucene's BM25 over the texts, with the factor k1 + 1 that OpenSearch kept until 3.0."""
    texts = {one["chunk_id"]: Counter(re.findall(r"[a-z0-9'._]+", one["text"].replace("-", " "))) for one in PASSAGES}
    average = sum(text.total() for text in texts.values()) / len(texts)
    scores: dict[str, float] = {}
    for word in words:
        holders = [chunk for chunk, text in texts.items() if text[word]]
        rarity = math.log(1 + (len(texts) - len(holders) + 0.5) / (len(holders) + 0.5))
        for chunk in holders:
            damping = k1 * (1 - b + b * byte_length(texts[chunk].total()) / average)
            frequency = texts[chunk][word]
            gain = rarity * (k1 + 1) * frequency / (frequency + damping)
            scores[chunk] = scores.get(chunk, 0) + gain
    return scores


def byte_length(length: int) -> int:
    """Return a length as Lucene's one byte keeps it: exact to 40, then in steps of 2, of 4 from 56, of 8 from 88."""
    for start, step in ((88, 8), (56, 4), (40, 2)):
        if length >= start:
            return start + (length - start) // step * step
    return length


@pytest.mark.parametrize("text", ["shards", "filing", "store querable", "file file map_id", "FILE's 3.5 index-up"])
def test_words_are_ranked_by_bm25_as_lucene_computes_it(client: OpenSearch, make_index: MakeIndex, text: str) -> None:
    name = make_index(client, PASSAGES)
    words = text.lower().replace("-", " ").split()

    found = dict(ranked(client, name, {"match": {"text": text}}, size=200))

    scale = 1.0 if client.info()["version"]["number"] < "3" else 1 / 2.2
    assert found == pytest.approx({chunk: score * scale for chunk, score in bm25_scores(words).items()}, abs=1e-4)


def test_scores_of_must_and_should_add_up_and_filters_add_nothing(client: OpenSearch, make_index: MakeIndex) -> None:
    name = make_index(client, PASSAGES)
    target = draw_vector(random.Random(8))
    knn = {"knn": {"vector": {"vector": target, "k": 120}}}
    match = {"match": {"text": "storer"}}
    apart = [dict(ranked(client, name, query, size=200)) for query in (knn, match)]

    both = dict(ranked(client, name, {"bool": {"must": knn, "should": match, "filter": {"match_all": {}}}}, size=200))
    filtered = dict(ranked(client, name, {"bool": {"filter": [knn, match]}}, size=200))

    assert both == pytest.approx({chunk: score + apart[1].get(chunk, 0) for chunk, score in apart[0].items()}, abs=1e-4)
    assert set(filtered) == set(apart[0]) & set(apart[1])
    assert set(filtered.values()) == {0.0}
