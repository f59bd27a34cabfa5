"""Whether two questions that lie near each other ask the same: one number, name or swapped word makes them differ.

Vectors can't tell: with MiniLM the questions "... in 5 minutes?" and "... in 6 minutes?" are nearer to each other than
most paraphrases. So a question is brought into a form that keeps everything that could matter, and only questions of
one form may share an answer. A word that is not known to be mere wording (`plinth.chain.wording`) is part of the form.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from plinth.chain.wording import (
    ARTICLES,
    ASKING,
    CONTRACTIONS,
    COURTESIES,
    FRAMES,
    FRONTED,
    LABELLED,
    NEGATIONS,
    NOT_PLURAL,
    NUMERALS,
    SAME,
    SOUNDS,
    UNDETERMINED,
    UNITS,
)


class Gate(StrEnum):
    """What two questions must have in common; each gate alone keeps some pair of questions apart."""

    NUMBERS = "numbers"
    UNITS = "units"
    NEGATIONS = "negations"
    NAMES = "names"
    WORDS = "words"
    ORDER = "order"


Kind = Literal["number", "unit", "negation", "name", "word"]
Form = tuple[tuple[str, ...], ...]

_NUMBER = re.compile(r"([-+]?[$€£]?\d[\d.,:/]*\d|[-+]?[$€£]?\d)([^\W\d_]*%?|%)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_FRAMES = tuple((re.compile(pattern, re.IGNORECASE), plain) for pattern, plain in FRAMES)
_CONTRACTIONS = tuple((re.compile(pattern, re.IGNORECASE), plain) for pattern, plain in CONTRACTIONS)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    kind: Kind


def form(question: str, gates: Iterable[Gate] = tuple(Gate)) -> Form:
    """Return what is left of a question without its mere wording: one part per gate.

    Equal forms are a necessary condition for one answer, not a sufficient one: the questions must also be near.
    """
    tokens = _fronted_last(list(_tokens(question)))
    return tuple(_part(gate, tokens) for gate in gates)


def _part(gate: Gate, tokens: Sequence[_Token]) -> tuple[str, ...]:
    match gate:
        case Gate.NUMBERS:
            return _texts(tokens, "number")
        case Gate.UNITS:
            return _texts(tokens, "unit")
        case Gate.NEGATIONS:
            return tuple(_negations(tokens))
        case Gate.NAMES:
            return tuple(sorted(_texts(tokens, "name")))
        case Gate.WORDS:
            return tuple(sorted(_texts(tokens, "word")))
        case Gate.ORDER:
            return tuple(_order(tokens))


def _texts(tokens: Iterable[_Token], kind: Kind) -> tuple[str, ...]:
    return tuple(token.text for token in tokens if token.kind == kind)


def _negations(tokens: Iterable[_Token]) -> Iterator[str]:
    """Yield each negation with the number of words before it: what is negated matters."""
    before = 0
    for token in tokens:
        if token.kind == "negation":
            yield f"{before} {token.text}"
        elif token.kind != "unit":
            before += 1


def _order(tokens: Sequence[_Token]) -> Iterator[str]:
    """Yield each token's rank among those of its kind: who does what to whom, apart from who they are."""
    ranks = {
        kind: {text: rank for rank, text in enumerate(sorted(set(_texts(tokens, kind))))}
        for kind in ("number", "name", "word")
    }
    return (f"{token.kind} {ranks[token.kind][token.text]}" for token in tokens if token.kind in ranks)


def _tokens(question: str) -> Iterator[_Token]:
    pieces = [_stripped(piece) for piece in _plain(question).split()]
    if pieces and pieces[0].istitle():
        pieces[0] = pieces[0].lower()
    after_number = False
    for before, piece, behind in zip(["", *pieces], pieces, [*pieces[1:], ""], strict=False):
        if piece.lower() in COURTESIES or _is_article(piece, before=before, behind=behind):
            continue
        made = _measured(piece) or [_token(piece, after_number=after_number)]
        yield from made
        after_number = made[-1].kind == "number"


def _is_article(piece: str, *, before: str, behind: str) -> bool:
    """Return whether a piece is no more than an article; "a" is also a letter, as in "plan a" or "an a record"."""
    if piece not in ARTICLES or not behind or behind in UNDETERMINED or before in ARTICLES:
        return False
    return piece == "the" or (before.lower() not in LABELLED and bool(SOUNDS[piece].match(behind)))


def _plain(question: str) -> str:
    text = " ".join(question.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
    for pattern, plain in _CONTRACTIONS:
        text = pattern.sub(plain, text)
    text = re.sub(r"^(?:(?:hi|hello|hey|please|kindly)\b[,!]? ?)+", "", text, flags=re.IGNORECASE)
    for pattern, plain in _FRAMES:
        text = pattern.sub(plain, text)
    return text.strip()


def _stripped(piece: str) -> str:
    """Return a piece without the punctuation around it; what is inside, and signs like those of C++ or -P, stays.

    A piece that has no letter or digit is what the question is about, such as `..`, and stays whole.
    """
    return piece.lstrip("\"'`(").rstrip("\"'`),;:?!.") if re.search(r"\w", piece) else piece


def _measured(piece: str) -> list[_Token]:
    """Return a number and the unit that is joined to it; nothing for another piece."""
    found = _NUMBER.fullmatch(piece)
    if found is None:
        return []
    number, unit = _THOUSANDS.sub("", found[1]), found[2]
    return [_Token(number, "number"), *([_Token(unit, "unit")] if unit else [])]


def _token(piece: str, *, after_number: bool) -> _Token:
    lowered = piece.lower()
    if after_number and lowered in UNITS:
        return _Token(piece, "unit")
    if lowered in NUMERALS:
        return _Token(NUMERALS[lowered], "number")
    if lowered in NEGATIONS:
        return _Token(lowered, "negation")
    if piece != "I" and (piece != lowered or not re.fullmatch(r"[^\W\d_]+(?:['-][^\W\d_]+)*", piece)):
        return _Token(piece, "name")
    word = SAME.get(lowered) or _singular(lowered)
    return _Token(SAME.get(word, word), "word")


def _singular(word: str) -> str:
    word = word.removesuffix("'s")
    if len(word) < 4 or word in NOT_PLURAL or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    return f"{word[:-3]}y" if word.endswith("ies") and len(word) > 4 else word[:-1]


def _fronted_last(tokens: list[_Token]) -> list[_Token]:
    """Return "with apt, how do I purge" as "how do I purge with apt"."""
    if not tokens or tokens[0].text not in FRONTED:
        return tokens
    first = next((place for place, token in enumerate(tokens) if token.text in ASKING), 0)
    return [*tokens[first:], *tokens[:first]]
