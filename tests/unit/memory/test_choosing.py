"""Which passages are worth a place in a prompt."""

from dataclasses import replace

import pytest

from plinth.contracts.memory import Span, StoredPassage
from plinth.memory.choosing import above_floor, collapse, diverse, rescored, spans_around, with_neighbours


def passage(
    document: str, position: int = 0, text: str | None = None, *, similarity: float | None = None
) -> StoredPassage:
    return StoredPassage(
        chunk_id=f"{document}:{position}",
        document_id=document,
        generation="1",
        name=document,
        title=document,
        position=position,
        text=f"{document} {position}" if text is None else text,
        score=0.0,
        similarity=similarity,
    )


def names(passages: tuple[StoredPassage, ...]) -> list[str]:
    return [each.chunk_id for each in passages]


def test_below_the_floor_nothing_counts_as_found_and_at_it_everything_does() -> None:
    found = [passage("a", similarity=0.2), passage("b"), passage("c", similarity=0.3)]

    assert names(above_floor(found, floor=0.3)) == ["a:0", "b:0", "c:0"]
    assert above_floor(found, floor=0.31) == ()


def test_a_passage_that_only_words_found_lifts_nothing_over_a_floor() -> None:
    assert above_floor([passage("a")], floor=0.1) == ()
    assert above_floor([], floor=-1.0) == ()


def test_a_copy_of_a_better_passage_and_the_crowd_of_one_document_go() -> None:
    ranked = [passage("a", 0, "same  text"), passage("b", 0, "same\ntext"), *(passage("a", each) for each in (1, 2, 3))]

    assert names(collapse(ranked, per_document=3)) == ["a:0", "a:1", "a:2"]


def test_a_cross_encoder_decides_the_order_and_equal_scores_keep_it() -> None:
    again = rescored([passage("a"), passage("b"), passage("c")], [0.1, 0.9, 0.1])

    assert names(again) == ["b:0", "a:0", "c:0"]
    assert [each.score for each in again] == [0.9, 0.1, 0.1]


def test_without_diversity_the_first_stay_in_their_order() -> None:
    ranked = [passage(each) for each in "abc"]

    assert names(diverse(ranked, diversity=0.0, limit=2)) == ["a:0", "b:0"]


def test_with_diversity_a_passage_that_says_something_else_comes_before_a_near_copy() -> None:
    first = passage("a", text="purge removes the configuration files")
    copy = passage("b", text="purge removes the configuration files too")
    other = passage("c", text="hold keeps a version")

    assert names(diverse([first, copy, other], diversity=0.5, limit=3)) == ["a:0", "c:0", "b:0"]


@pytest.mark.parametrize("diversity", [0.0, 0.3, 1.0])
def test_diversity_neither_loses_nor_doubles_a_passage(diversity: float) -> None:
    ranked = [passage("a", each, "the same words") for each in range(6)]

    assert sorted(names(diverse(ranked, diversity=diversity, limit=9))) == sorted(each.chunk_id for each in ranked)


def test_neighbours_lie_on_both_sides_within_the_document_and_come_after_what_was_found() -> None:
    chosen = (passage("a", 0), passage("a", 2))

    assert spans_around(chosen, neighbours=0) == ()
    assert spans_around(chosen, neighbours=1) == (
        Span(document_id="a", generation="1", first=0, last=1),
        Span(document_id="a", generation="1", first=1, last=3),
    )
    near = [replace(passage("a", each), score=1.0) for each in (0, 1, 1, 2, 3)]
    assert names(with_neighbours(chosen, near)) == ["a:0", "a:2", "a:1", "a:3"]
