"""What the answer cache makes of small differences and of rewordings, with the real embedding model."""

import sys
from pathlib import Path

import pytest

from bench.cache import Judged, bound_95, judge
from plinth.adapters.onnx_embedder import OnnxEmbedder
from plinth.chain.caching import NEAR_COSINE, cosine, question_vector
from plinth.chain.content_gate import Gate, form

pytestmark = pytest.mark.guarantee_g


@pytest.fixture(scope="module")
def judged(embedding_directory: Path) -> list[Judged]:
    return judge(embedding_directory)


def test_no_question_gets_the_answer_of_one_that_differs_in_content(judged: list[Judged]) -> None:
    different = [each for each in judged if not each.pair.same]
    wrong = [each.pair for each in different if each.hit]
    by_cosine = sum(each.near for each in different)

    sys.stdout.write(
        f"false hits: {len(wrong)} of {len(different)}, 95 % bound {bound_95(len(wrong), len(different)):.4f}" + "\n"
    )
    sys.stdout.write(f"by the cosine alone: {by_cosine} of {len(different)}" + "\n")
    assert len(different) > 200
    assert by_cosine > len(different) / 3, "the pairs are too far apart to try the gate"
    assert wrong == []


def test_most_rewordings_hit_and_other_words_are_reported(judged: list[Judged]) -> None:
    for kind, least in (("rewording", 0.9), ("other words", 0.0)):
        same = [each for each in judged if each.pair.kind == kind]
        hits = sum(each.hit for each in same)
        sys.stdout.write(
            f"{kind}: {hits} of {len(same)} hit, by the cosine alone {sum(each.near for each in same)}" + "\n"
        )
        assert hits >= least * len(same)


@pytest.mark.parametrize("gate", Gate)
def test_a_cache_without_one_gate_would_give_a_wrong_answer(judged: list[Judged], gate: Gate) -> None:
    others = [other for other in Gate if other is not gate]

    wrong = [
        each.pair
        for each in judged
        if not each.pair.same and each.near and form(each.pair.one, others) == form(each.pair.other, others)
    ]

    assert wrong


def test_a_cache_without_the_cosine_would_give_a_wrong_answer(embedding_directory: Path) -> None:
    one, other = "How do I get up?", "How do I obtain up?"
    mine, theirs = (
        question_vector(vector, model="m") for vector in OnnxEmbedder(embedding_directory).embed([one, other])
    )

    assert form(one) == form(other)
    assert cosine(mine, theirs) < NEAR_COSINE
