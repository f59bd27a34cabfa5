"""Where documents are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.contracts.memory import ParsedDocument, Passage, Section
from plinth.memory.splitting import split_document
from tests.fakes.models import FakeTokenCounter

PIECES = st.sampled_from(
    [
        "word",
        "a, b",
        " ",
        "\n",
        "\n\n",
        ". ",
        "name | size\n",
        "| 1 | 2 |\n",
        "---|---\n",
        "```\n",
        "x" * 30,
        "\u00a0",
        "\u0300",
    ]
)
TEXTS = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=40).map("".join))
SECTIONS = st.builds(
    Section,
    text=TEXTS,
    page=st.one_of(st.none(), st.integers(1, 9)),
    path=st.lists(st.sampled_from(["Install", "Debian", "T", "long " * 40]), max_size=3).map(tuple),
)


def document(*sections: Section) -> ParsedDocument:
    return ParsedDocument(title="T", sections=sections)


def split(*sections: Section, characters: int = 800, window: int = 254) -> tuple[Passage, ...]:
    return split_document(document(*sections), FakeTokenCounter(window), characters=characters)


def said(text: str) -> str:
    return "".join(text.split())


@given(st.lists(SECTIONS, max_size=4), st.integers(10, 100), st.integers(8, 60))
def test_passages_are_stretches_of_the_text_in_order_and_lose_nothing_but_bare_headings(
    sections: list[Section], characters: int, window: int
) -> None:
    passages = split(*sections, characters=characters, window=window)

    text = document(*sections).text
    assert all(text[each.start : each.end] == each.text for each in passages)
    ends = [0, *(each.end for each in passages)]
    starts = [*(each.start for each in passages), len(text)]
    left_out = [text[end:start] for end, start in zip(ends, starts, strict=True)]
    assert all(end <= start for end, start in zip(ends, starts, strict=True))
    bare = {said(section.text) for section in sections if _is_bare(section)}
    assert all(_is_made_of(said(gap), bare) for gap in left_out)
    assert [each.position for each in passages] == list(range(len(passages)))


@given(st.lists(SECTIONS, max_size=4), st.integers(10, 100), st.integers(8, 60))
def test_no_passage_is_longer_than_allowed_in_characters_or_tokens(
    sections: list[Section], characters: int, window: int
) -> None:
    passages = split(*sections, characters=characters, window=window)

    assert all(0 < len(each.text) <= characters for each in passages)
    counts = FakeTokenCounter().count([each.in_context for each in passages])
    assert counts == [each.tokens for each in passages]
    assert all(tokens <= window for tokens in counts)


def _is_bare(section: Section) -> bool:
    heading = section.path[-1] if section.path else "T"
    return said(section.text).strip("#=-") in ("", said(heading))


def _is_made_of(gap: str, parts: set[str]) -> bool:
    """Tell whether a gap is a row of whole parts."""
    reached = {0}
    for at in range(len(gap)):
        if at in reached:
            reached |= {at + len(part) for part in parts if part and gap.startswith(part, at)}
    return len(gap) in reached


def test_paragraphs_are_packed_together_up_to_the_limit() -> None:
    passages = split(Section(text="one\n\ntwo\n\nthree"), characters=9)

    assert [(each.text, each.start, each.end) for each in passages] == [("one\n\ntwo", 0, 8), ("three", 10, 15)]


def test_a_long_paragraph_is_cut_at_a_sentence_end() -> None:
    passages = split(Section(text="A short one. Then a longer sentence follows."), characters=20)

    assert passages[0].text == "A short one."


def test_a_text_of_many_tokens_is_cut_into_shorter_passages() -> None:
    passages = split(Section(text="1 2 3 4 5 6 7 8 9"), window=6)

    assert [(each.text, each.tokens) for each in passages] == [("1 2 3 4", 5), ("5 6 7 8 9", 6)]


def test_a_passage_has_its_page_and_the_path_of_headings_and_never_crosses_them() -> None:
    passages = split(
        Section(text="a", page=1), Section(text="b", page=2, path=("T", "Install")), Section(text="c", path=("X", "Y"))
    )

    assert [(each.text, each.page, each.heading) for each in passages] == [
        ("a", 1, None),
        ("b", 2, "Install"),
        ("c", None, "X > Y"),
    ]
    assert [each.in_context for each in passages] == ["T\na", "T > Install\nb", "T > X > Y\nc"]


def test_of_a_path_that_fills_the_window_the_end_is_kept() -> None:
    (passage,) = split(Section(text="a", path=("one two three four", "five six")), window=8)

    assert passage.above.endswith("six")
    assert passage.tokens <= 8
    assert passage.heading == "one two three four > five six"


@pytest.mark.parametrize("text", ["Introduction", "## Introduction ##", "Introduction\n==="])
def test_a_section_that_only_repeats_its_heading_is_left_out(text: str) -> None:
    bare, other = Section(text=text, path=("Introduction",)), Section(text="T")

    assert [each.text for each in split(bare, other, Section(text="words"))] == ["words"]
    assert [each.text for each in split(bare)] == [text]


@pytest.mark.parametrize(("heading", "text"), [("Windows", "✅"), ("★★★", "★★★☆☆"), ("C", "- C++"), ("[0]", "- 0")])
def test_a_section_that_says_something_in_signs_is_kept(heading: str, text: str) -> None:
    (passage, _) = split(Section(text=text, path=(heading,)), Section(text="words"))

    assert passage.text == text


@pytest.mark.parametrize("rule", ["", "|---|---|\n"])
def test_a_table_is_cut_between_rows_and_each_part_has_its_header(rule: str) -> None:
    header = f"name | size\n{rule}"
    rows = [f"package {number} | {number} MB" for number in range(9)]

    parts = split(Section(text=header + "\n".join(rows)), characters=70)

    assert len(parts) > 2
    told = [each.in_context.removeprefix("T\n") for each in parts]
    assert all(len(each) <= 70 and each.startswith(header) for each in told)
    assert [row for each in told for row in each.removeprefix(header).split("\n")] == rows


@pytest.mark.parametrize("caption", ["", "Prices of 2026:\n"])
@pytest.mark.parametrize(
    "before", ["", "A long story that comes before, of two lines,\nof which the first is no caption.\n"]
)
@pytest.mark.parametrize("after", ["", "\nSource: catalogue"])
def test_a_table_keeps_its_header_whatever_stands_right_beside_it(before: str, caption: str, after: str) -> None:
    rows = "\n".join(f"| nut {number} | {number} |" for number in range(40))

    passages = split(Section(text=f"{before}{caption}| Name | Price |\n|---|---|\n{rows}{after}"), characters=200)

    parts = [each for each in passages if "nut" in each.text]
    assert len(parts) > 3
    assert all("| Name | Price |\n|---|---|\n" in each.in_context + "\n" for each in parts)
    assert before or all(caption in each.in_context for each in parts)
    assert passages[-1].text.endswith(after)
    assert passages[0].text.startswith((before or caption).strip())


def test_a_row_of_a_single_cell_is_a_row() -> None:
    rows = "\n".join(f"Group {number}\nnut | {number}\nbolt | {number}" for number in range(20))

    first, *others = split(Section(text=f"Name | Price\n{rows}"), characters=80)

    assert first.text.startswith("Name | Price\nGroup 0\n")
    assert {each.above for each in others} == {"T\nName | Price"}


def test_what_has_few_bars_is_no_table() -> None:
    passages = split(Section(text="one | two\n" + "three\n" * 40 + "one | two"), characters=60)

    assert {each.above for each in passages} == {"T"}


def test_a_table_of_many_tokens_is_cut_between_rows_too() -> None:
    rows = [f"{number} | {number} | {number}" for number in range(9)]

    parts = split(Section(text="a | b | c\n" + "\n".join(rows)), window=24)

    assert [each.above for each in parts] == ["T", *["T\na | b | c"] * (len(parts) - 1)]
    assert all(line in rows for each in parts[1:] for line in each.text.split("\n"))


def test_a_row_that_is_too_long_is_cut_and_nothing_of_it_is_lost() -> None:
    row = "word | " * 20

    passages = split(Section(text=f"a | b\n{row}\nc | d"), characters=60)

    assert all(len(each.text) <= 60 for each in passages)
    assert sum(each.text.count("word") for each in passages) == 20
    assert (passages[-1].above, passages[-1].text) == ("T\na | b", "c | d")


@pytest.mark.parametrize("fence", ["```", "~~~"])
def test_code_that_fits_stays_whole_with_its_blank_lines(fence: str) -> None:
    code = f"{fence}sh\napt update\n\n\napt upgrade\n{fence}"

    passages = split(Section(text=f"{'before ' * 8}\n\n{code}\n\nafter"), characters=60)

    assert [each.text for each in passages] == [("before " * 8).strip(), f"{code}\n\nafter"]


def test_code_that_does_not_end_is_cut_like_text() -> None:
    passages = split(Section(text="```\none\n\ntwo\n\n" + "x" * 30), characters=20)

    assert all(len(each.text) <= 20 for each in passages)


def test_a_row_of_comma_separated_values_says_its_columns_in_every_passage() -> None:
    rows = "\n\n".join(f"name: package {number}; size: {number} MB" for number in range(9))

    assert all(each.text.startswith("name: ") for each in split(Section(text=rows), characters=70))
