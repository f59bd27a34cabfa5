"""Which passages are asked about together, and how much of a context a passage keeps."""

from collections.abc import Sequence
from dataclasses import replace

from plinth.contracts.memory import ParsedDocument, Passage, Section
from plinth.memory.context_windows import ROOM_TOKENS, WINDOW_PASSAGES, RoomLeft, context_key, placed, windows_of
from plinth.memory.splitting import split_document
from tests.fakes.models import FakeTokenCounter

COUNTER = FakeTokenCounter()
PASSAGE = Passage(position=0, text="one two three", above="T", tokens=4)


def test_a_window_is_full_by_its_passages_or_by_what_the_model_reads() -> None:
    passages = [Passage(position=at, text="x" * 100) for at in range(WINDOW_PASSAGES + 1)]

    assert [len(each) for each in windows_of(passages, characters=12_000)] == [WINDOW_PASSAGES, 1]
    assert [len(each) for each in windows_of(passages[:4], characters=250)] == [2, 2]
    assert windows_of(passages[:2], characters=10) == ((0,), (1,))
    assert windows_of([], characters=10) == ()


def test_what_decides_a_context_is_the_passage_its_headings_and_what_is_told_with_it() -> None:
    key = context_key(PASSAGE, told=("v1", "m"))

    assert context_key(replace(PASSAGE, position=7, start=3), told=("v1", "m")) == key
    assert context_key(replace(PASSAGE, text="one two"), told=("v1", "m")) != key
    assert context_key(replace(PASSAGE, above="U"), told=("v1", "m")) != key
    assert context_key(PASSAGE, told=("v1", "n")) != key
    assert context_key(PASSAGE, told=("v1m",)) != key


def test_a_passage_with_a_context_is_searched_by_it_and_told_without_it() -> None:
    (found,) = placed([PASSAGE], {"k": "Of numbers."}, ["k"], COUNTER)

    assert found.searched == "T\nOf numbers.\none two three"
    assert found.in_context == "T\none two three"
    assert (found.context_key, found.tokens) == ("k", 4 + 3)


def test_a_context_is_cut_after_the_last_word_that_the_embedding_model_reads() -> None:
    full = replace(PASSAGE, tokens=COUNTER.window - 2)

    (found,) = placed([full], {"k": "Of many numbers."}, ["k"], COUNTER)

    assert (found.context, found.tokens) == ("Of many", COUNTER.window)


def test_a_passage_for_which_nothing_was_written_or_fits_stays_as_it_is() -> None:
    full = replace(PASSAGE, tokens=COUNTER.window)

    assert placed([PASSAGE, full], {"k": "Of numbers."}, ["other", "k"], COUNTER) == (PASSAGE, full)


def test_every_passage_that_is_to_have_a_context_leaves_room_for_it() -> None:
    text = "\n\n".join("x y z " * 40 for _ in range(5))
    document = ParsedDocument(title="T", sections=(Section(text=text),))

    passages = split_document(document, RoomLeft(counter=COUNTER))

    assert max(each.tokens for each in passages) <= COUNTER.window - ROOM_TOKENS
    assert max(each.tokens for each in split_document(document, COUNTER)) > COUNTER.window - ROOM_TOKENS


def test_a_context_without_spaces_is_cut_after_the_last_character_that_is_read() -> None:
    class ByCharacter(FakeTokenCounter):
        def count(self, texts: Sequence[str]) -> list[int]:
            return [len(text) for text in texts]

    full = replace(PASSAGE, tokens=COUNTER.window - 4)

    (found,) = placed([full], {"k": "本章介绍软件包管理。"}, ["k"], ByCharacter())

    assert (found.context, found.context_key, found.tokens) == ("本章介绍", "k", COUNTER.window)
