"""That no cell of a table and no value of a JSON file is lost or changed, however the file writes it."""

import pytest

from plinth.adapters.parsers.__main__ import parse


def rows(body: str) -> list[str]:
    """Return what is told of each row."""
    return parse("a.csv", body.encode()).sections[0].text.split("\n\n")


def test_quotes_that_first_come_far_down_a_table_are_read_as_in_its_beginning() -> None:
    plain = "".join(f'{number},"plain comment number {number}, fine",9\n' for number in range(80))
    late = '81,"He said ""no, never"", then left",20\n82,"Line one\nsays ""x""\nline three",30\n'

    assert rows("id,comment,price\n" + plain + late)[-2:] == [
        'id: 81; comment: He said "no, never", then left; price: 20',
        'id: 82; comment: Line one says "x" line three; price: 30',
    ]


def test_an_apostrophe_quotes_nothing() -> None:
    assert rows("id,cmd,note\n1,'ls',\"lists files, dirs\"\n")[0] == "id: 1; cmd: 'ls'; note: lists files, dirs"


@pytest.mark.parametrize(
    "body", ["name,size,\napt,4,\n", "name,size,,\napt,4\n", "sep=;\nname;size\napt;4\n", "\n\nname,size\napt,4\n"]
)
def test_columns_keep_their_names_beside_an_empty_one_and_below_what_is_no_row(body: str) -> None:
    assert rows(body) == ["name: apt; size: 4"]


def test_a_line_above_the_table_names_no_column() -> None:
    assert rows("Report,,\nname,size,\napt,4,\n") == ["Report", "name; size", "apt; 4"]


def test_a_name_that_looks_like_a_place_in_a_list_is_told() -> None:
    assert parse("a.json", b'{"[draft] title": "x"}').sections[0].text == "[draft] title: x"


def test_numbers_are_told_with_the_digits_that_the_file_has() -> None:
    numbers = ["12345678901234567890.123", "1.10", "1e400", "-7"]

    text = parse("a.json", f"[{', '.join(numbers)}]".encode()).sections[0].text

    assert text.split("\n") == [f"- {number}" for number in numbers]


def test_a_name_that_an_object_has_twice_is_told_twice() -> None:
    parsed = parse("a.json", b'{"a": 1.10, "a": 2, "b": {"c": true}, "b": {"c": null}}')

    assert [(section.path, section.text) for section in parsed.sections] == [
        ((), "a: 1.10\na: 2"),
        (("b",), "c: true"),
        (("b",), "c: null"),
    ]


def test_a_line_of_json_ends_where_the_file_says_whatever_else_unicode_calls_a_line() -> None:
    parsed = parse("a.jsonl", '{"a": "one\u2028two\x85three"}\n{"b": 1}'.encode())

    assert [section.text for section in parsed.sections] == ["a: one\u2028two\x85three", "b: 1"]
