"""Which words and names of a question no passage holds: what it is about may not be in the documents at all."""

import re
from collections.abc import Iterable, Sequence

from plinth.contracts.memory import Missing, StoredPassage

_WORD = re.compile(r"\w[\w:./+-]*\w|\w")
_INNER_WORD = re.compile(r"""(?<=[\w,;:)"'] )["'(]*(\w[\w./+-]*\w)""")
_PART = re.compile(r"[^\W_]{2,}")
_NAME_LIKE = re.compile(r"[\d:./+-]")
_SHORTEST = 3
_ENDING = 3
_COMMON_WORDS = (
    "about after again all also and another any are aren because been before being between both but can could "
    "did does doing done down each else ever every few for from further get gets give gives given goes going "
    "had has have having here how into its itself just let made make makes many may might more most much must "
    "need needs never nor not now off once one only onto other our ours out over own please put same say says "
    "shall should since some such take takes tell than that the their theirs them then there these they this "
    "those through too under until upon use used uses using very want wants was way were what when where "
    "whether which while who whom whose why will with within without would yes you your yours long day days"
)
_COMMON = frozenset(_COMMON_WORDS.split())


def missing_words(passages: Sequence[StoredPassage], text: str) -> tuple[str, ...]:
    """Return the words of the text that neither a passage holds nor what stands above it.

    Common English words do not count, nor do words of one or two letters. A word is there if its stem is: the word
    without its last three letters, at least four of them; one with a digit or a mark inside is taken whole.
    """
    said = _said(passages)
    return tuple(word for word in _counted(_WORD.findall(text)) if _stem(word.casefold()) not in said)


def missing_from(passages: Sequence[StoredPassage], question: str) -> Missing:
    """Return the words and names of the question that no passage holds.

    A name, a word with a capital that does not begin a sentence, is there if any part of it is a word of a passage.
    Where most words are missing, no name is told: the question may be in another language, in which every noun is
    written so.
    """
    words = missing_words(passages, question)
    if 2 * len(words) > len(_counted(_WORD.findall(question))):
        return Missing(words=words)
    parts = set(_PART.findall(_said(passages)))
    named = (name for name in _counted(_INNER_WORD.findall(question)) if any(map(str.isupper, name)))
    return Missing(words=words, names=tuple(name for name in named if parts.isdisjoint(_PART.findall(name.casefold()))))


def _said(passages: Sequence[StoredPassage]) -> str:
    return " ".join(each.in_context for each in passages).casefold()


def _counted(words: Iterable[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if len(word) >= _SHORTEST and word.casefold() not in _COMMON]


def _stem(word: str) -> str:
    return word if _NAME_LIKE.search(word) else word[: max(4, len(word) - _ENDING)]
