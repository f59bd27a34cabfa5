"""Where documents are cut."""

from hypothesis import given
from hypothesis import strategies as st

from plinth.contracts.memory import ParsedDocument, Section
from plinth.memory.splitting import split_document


def document(*sections: Section) -> ParsedDocument:
    return ParsedDocument(title="t", sections=sections)


@given(st.lists(st.text(), max_size=5), st.integers(min_value=10, max_value=100))
def test_no_passage_is_longer_than_allowed_and_no_word_character_is_lost(texts: list[str], characters: int) -> None:
    split = split_document(document(*(Section(text=text) for text in texts)), characters=characters)

    assert all(0 < len(passage.text) <= characters for passage in split)
    assert "".join("".join(passage.text.split()) for passage in split) == "".join(
        "".join(text.split()) for text in texts
    )
    assert [passage.position for passage in split] == list(range(len(split)))


def test_paragraphs_are_packed_together_up_to_the_limit() -> None:
    split = split_document(document(Section(text="one\n\ntwo\n\nthree")), characters=9)

    assert [passage.text for passage in split] == ["one\n\ntwo", "three"]


def test_a_long_paragraph_is_cut_at_a_sentence_end() -> None:
    split = split_document(document(Section(text="A short one. Then a longer sentence follows.")), characters=20)

    assert split[0].text == "A short one."


def test_a_passage_keeps_its_page_and_heading_and_never_crosses_them() -> None:
    split = split_document(document(Section(text="a", page=1), Section(text="b", page=2, heading="B")))

    assert [(passage.text, passage.page, passage.heading) for passage in split] == [("a", 1, None), ("b", 2, "B")]


def test_a_passage_that_only_repeats_its_heading_is_left_out() -> None:
    assert split_document(document(Section(text="Introduction", heading="Introduction"))) == ()
