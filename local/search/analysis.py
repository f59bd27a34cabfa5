"""How text becomes words: the standard analyzer (Unicode word breaks, lower case, no stop words).

The grammar is that of Unicode Standard Annex 29 as Lucene's StandardTokenizer reads it: a word keeps the apostrophes,
dots and colons between its letters and the commas and dots between its digits; ideographs and hiragana stand alone.
"""

import re

import regex

# A longer token is cut, as Lucene's StandardTokenizer does (StandardAnalyzer.DEFAULT_MAX_TOKEN_LENGTH).
LONGEST_TOKEN = 255

_ASCII_WORD = re.compile(
    r"\w++(?:[:.',;](?:(?<=[a-z][:.'])(?=[a-z])|(?<=[0-9][,;.'])(?=[0-9]))\w++)*+",
    re.ASCII,
)

_JOINED = r"[\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}]*+"
_LETTER = rf"[\p{{WB=ALetter}}\p{{WB=Hebrew_Letter}}]{_JOINED}"
_DIGIT = rf"\p{{WB=Numeric}}{_JOINED}"
_LINK = rf"\p{{WB=ExtendNumLet}}{_JOINED}"
_BETWEEN_LETTERS = rf"[\p{{WB=MidLetter}}\p{{WB=MidNumLet}}\p{{WB=Single_Quote}}]{_JOINED}(?={_LETTER})"
_BETWEEN_DIGITS = rf"[\p{{WB=MidNum}}\p{{WB=MidNumLet}}\p{{WB=Single_Quote}}]{_JOINED}(?={_DIGIT})"
_WORD = regex.compile(
    rf"(?:{_LINK})*+(?:{_LETTER}(?:{_BETWEEN_LETTERS})?|{_DIGIT}(?:{_BETWEEN_DIGITS})?)"
    rf"(?:{_LETTER}(?:{_BETWEEN_LETTERS})?|{_DIGIT}(?:{_BETWEEN_DIGITS})?|{_LINK})*+"
    rf"|(?:{_LINK})*+(?:\p{{WB=Katakana}}{_JOINED}(?:{_LINK})*+)++"
    rf"|[\p{{Han}}\p{{Hiragana}}]{_JOINED}"
    rf"|(?:\p{{Line_Break=Complex_Context}}{_JOINED})++"
    rf"|[\p{{Extended_Pictographic}}\p{{Emoji_Modifier}}]{_JOINED}(?:(?<=\u200d)\p{{Extended_Pictographic}}{_JOINED})*+"
    rf"|\p{{Regional_Indicator}}{{2}}{_JOINED}"
)

# Letters that Lucene lowers without regard to their neighbours, and Python does not.
_LOWERED_ALONE = str.maketrans({"İ": "i", "Σ": "σ"})


def words(text: str) -> list[str]:
    """Return the words of a text in their order, in lower case."""
    lowered = text.translate(_LOWERED_ALONE).lower()
    if not lowered.isascii():
        found: list[str] = _WORD.findall(lowered)
    elif "_" in lowered:
        found = [word for word in _ASCII_WORD.findall(lowered) if word.strip("_")]
    else:
        found = _ASCII_WORD.findall(lowered)
    if len(max(found, key=len, default="")) > LONGEST_TOKEN:
        return [part for word in found for part in _cut(word)]
    return found


def _cut(word: str) -> list[str]:
    return [word[start : start + LONGEST_TOKEN] for start in range(0, len(word), LONGEST_TOKEN)]
