"""What of a page is its text, and where words and lines end."""

import pytest

from plinth.adapters.parsers.html import parse_html


def told(page: str) -> list[tuple[tuple[str, ...], str]]:
    return [(section.path, section.text) for section in parse_html("p.html", page.encode()).sections]


@pytest.mark.parametrize("tag", ["article", "main", "section"])
def test_the_header_and_footer_of_a_text_are_read_and_those_of_the_site_are_not(tag: str) -> None:
    page = (
        f"<header><div>Shop</div></header><{tag}><header><h1>Return policy</h1>By Ann</header><p>14 days."
        f"<footer>Not for sale items.</footer></{tag}><footer>Imprint</footer>end"
    )

    assert told(page) == [(("Return policy",), "Return policy\n\nBy Ann\n\n14 days.\n\nNot for sale items.\n\nend")]


@pytest.mark.parametrize(
    "tag", ["summary", "option", "main", "aside", "figcaption", "address", "center", "label", "legend"]
)
def test_what_stands_in_a_block_does_not_run_into_what_is_beside_it(tag: str) -> None:
    inner = f"<{tag}>Can I return it?</{tag}>"
    around = f"<select>{inner}</select>" if tag == "option" else inner

    assert told(f"One{around}Yes") == [((), "One\n\nCan I return it?\n\nYes")]


def test_a_rule_parts_what_is_above_from_what_is_below() -> None:
    assert told("above<hr>below") == [((), "above\n\nbelow")]


@pytest.mark.parametrize(
    "heading", ["Return<br>policy", "<div>Return</div><div>policy</div>", "Return <s>old</s>policy"]
)
def test_the_words_of_a_heading_are_apart_in_title_and_path(heading: str) -> None:
    parsed = parse_html("p.html", f"<h1>{heading}</h1>text".encode())

    assert (parsed.title, parsed.sections[0].path) == ("Return policy", ("Return policy",))


def test_a_heading_within_a_heading_is_part_of_it() -> None:
    assert [path for path, _ in told("<h1>A <span><h2>B</h2></span></h1>text<h2>C</h2>")] == [("A B",), ("A B", "C")]


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("10<sup>6</sup> or 10<sup>\u22123</sup>", "10^6 or 10^\u22123"),
        ("2<sup>n</sup>", "2^n"),
        ("the 21<sup>st</sup>, Acme<sup>TM</sup>", "the 21st, AcmeTM"),
        ("H<sub>2</sub>O", "H2O"),
    ],
)
def test_an_exponent_is_told_as_one(page: str, text: str) -> None:
    assert told(page) == [((), text)]


def test_what_was_struck_out_is_not_told() -> None:
    assert told("<p><del>30</del><ins>14</ins> days, <s>9 EUR</s> <strike>8</strike> 7 EUR") == [((), "14 days, 7 EUR")]


def test_a_line_of_code_keeps_the_column_it_begins_in() -> None:
    assert told("<p>Run:<pre>--- a\n+++ b\n context</pre> <pre> one\n  two</pre>") == [
        ((), "Run:\n\n--- a\n+++ b\n context\n\n one\n  two")
    ]
