"""Where documents are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.contracts.memory import ParsedDocument, Section
from plinth.memory.splitting import split_document


def document(*sections: Section) -> ParsedDocument:
    return ParsedDocument(title="t", sections=sections)


WORDS = st.text(st.characters(exclude_characters="|"))


@given(st.lists(WORDS, max_size=5), st.integers(min_value=10, max_value=100))
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


@pytest.mark.parametrize("rule", ["", "|---|---|\n"])
def test_a_table_is_cut_between_rows_and_each_part_has_its_header(rule: str) -> None:
    header = f"name | size\n{rule}"
    rows = [f"package {number} | {number} MB" for number in range(9)]

    split = split_document(document(Section(text=header + "\n".join(rows))), characters=70)

    parts = [passage.text for passage in split]
    assert len(parts) > 2
    assert all(len(part) <= 70 and part.startswith(header) for part in parts)
    assert [row for part in parts for row in part.removeprefix(header).split("\n")] == rows


def test_a_row_that_is_too_long_is_cut_and_nothing_of_it_is_lost() -> None:
    row = "word | " * 20

    split = split_document(document(Section(text=f"a | b\n{row}\nc | d")), characters=60)

    assert all(len(passage.text) <= 60 for passage in split)
    assert sum(passage.text.count("word") for passage in split) == 20
    assert split[-1].text.endswith("a | b\nc | d")


@pytest.mark.parametrize("fence", ["```", "~~~"])
def test_code_that_fits_stays_whole_with_its_blank_lines(fence: str) -> None:
    code = f"{fence}sh\napt update\n\n\napt upgrade\n{fence}"

    split = split_document(document(Section(text=f"{'before ' * 8}\n\n{code}\n\nafter")), characters=60)

    assert [passage.text for passage in split] == [("before " * 8).strip(), f"{code}\n\nafter"]


def test_code_that_does_not_end_is_cut_like_text() -> None:
    split = split_document(document(Section(text="```\none\n\ntwo\n\n" + "x" * 30)), characters=20)

    assert all(len(passage.text) <= 20 for passage in split)
