"""Words are those that Lucene's standard analyzer finds (expected values were read from OpenSearch 2.19)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.search.analysis import LONGEST_TOKEN, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The QUICK, brown fox.", ["the", "quick", "brown", "fox"]),
        ("don't stop 'quoted' o’clock", ["don't", "stop", "quoted", "o’clock"]),
        ("3.14 1,000 v2.1.0 10:30 a.b.c.", ["3.14", "1,000", "v2.1.0", "10", "30", "a.b.c"]),
        (
            "foo_bar foo:bar _ __x user@example.com e-mail",
            ["foo_bar", "foo:bar", "__x", "user", "example.com", "e", "mail"],
        ),
        ("naïve Ünï l'été", ["naïve", "ünï", "l'été"]),
        ("東京タワー ひら 中文abc 한국어", ["東", "京", "タワー", "ひ", "ら", "中", "文", "abc", "한국어"]),
        ("สวัสดี 👍🏽 👩‍🚀 🇫🇷", ["สวัสดี", "👍🏽", "👩‍🚀", "🇫🇷"]),
        ("ΣΟΦΟΣ İstanbul", ["σοφοσ", "istanbul"]),
        ("", []),
    ],
)
def test_text_is_cut_into_words_as_lucene_does(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_a_long_word_is_cut_at_the_limit() -> None:
    assert [len(word) for word in words("x" * 600)] == [LONGEST_TOKEN, LONGEST_TOKEN, 90]


@given(st.text())
def test_no_text_breaks_the_analyzer(text: str) -> None:
    assert all(0 < len(word) <= LONGEST_TOKEN for word in words(text))


@given(st.text(alphabet=st.characters(max_codepoint=126), max_size=60))
def test_plain_and_unicode_grammars_agree(text: str) -> None:
    assert words(text) == words(f"{text} é")[:-1]
