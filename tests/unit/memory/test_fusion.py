"""Rank fusion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.memory.fusion import fuse


def test_scores_are_the_weights_over_k_plus_rank() -> None:
    fused = fuse([(0.4, ["a", "b"]), (0.6, ["b", "c"])])

    assert [each for each, _ in fused] == ["b", "c", "a"]
    assert dict(fused) == pytest.approx({"a": 0.4 / 61, "b": 0.4 / 62 + 0.6 / 61, "c": 0.6 / 62})


def test_an_id_counts_once_per_ranking_at_its_best_place() -> None:
    assert fuse([(1.0, ["a", "a", "b"])]) == [("a", 1 / 61), ("b", 1 / 62)]


def test_ties_keep_the_order_in_which_ids_were_met() -> None:
    assert [each for each, _ in fuse([(0.5, ["a"]), (0.5, ["b"])])] == ["a", "b"]


def test_nothing_to_rank_gives_nothing() -> None:
    assert fuse([]) == []
    assert fuse([(0.4, []), (0.6, [])]) == []


@given(st.lists(st.text(max_size=2), unique=True), st.lists(st.text(max_size=2), unique=True))
def test_every_id_comes_once_and_best_first(words: list[str], vectors: list[str]) -> None:
    fused = fuse([(0.4, words), (0.6, vectors)])

    scores = [score for _, score in fused]
    assert sorted(each for each, _ in fused) == sorted({*words, *vectors})
    assert scores == sorted(scores, reverse=True)
