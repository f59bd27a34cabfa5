"""Rank fusion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.contracts.retrieval import Mix
from plinth.memory.fusion import fuse

EVEN = Mix(words=0.5, vectors=0.5)


def test_scores_are_the_weights_over_k_plus_rank() -> None:
    fused = fuse(["a", "b"], ["b", "c"], mix=Mix(words=0.4, vectors=0.6, k=60))

    assert [each for each, _ in fused] == ["b", "c", "a"]
    assert dict(fused) == pytest.approx({"a": 0.4 / 61, "b": 0.4 / 62 + 0.6 / 61, "c": 0.6 / 62})


def test_an_id_counts_once_per_ranking_at_its_best_place() -> None:
    assert fuse(["a", "a", "b"], [], mix=Mix(words=1, k=9)) == [("a", 1 / 10), ("b", 1 / 11)]


def test_ties_keep_the_order_in_which_ids_were_met() -> None:
    assert [each for each, _ in fuse(["a"], ["b"], mix=EVEN)] == ["a", "b"]


def test_a_ranking_of_no_weight_adds_nothing() -> None:
    assert [each for each, _ in fuse(["a", "b"], ["b"], mix=Mix(words=0, vectors=1))] == ["b"]


def test_nothing_to_rank_gives_nothing() -> None:
    assert fuse([], [], mix=EVEN) == []


@given(st.lists(st.text(max_size=2), unique=True), st.lists(st.text(max_size=2), unique=True))
def test_every_id_comes_once_and_best_first(words: list[str], vectors: list[str]) -> None:
    fused = fuse(words, vectors, mix=Mix())

    scores = [score for _, score in fused]
    assert sorted(each for each, _ in fused) == sorted({*words, *vectors})
    assert scores == sorted(scores, reverse=True)
