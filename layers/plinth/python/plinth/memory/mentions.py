"""Which words of a question no passage holds: what it asks for by name may not be in the documents at all."""

import re
from collections.abc import Sequence

from plinth.contracts.memory import StoredPassage

_WORD = re.compile(r"\w[\w:./+-]*\w|\w")
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
    "whether which while who whom whose why will with within without would you your yours long day days"
)
_COMMON = frozenset(_COMMON_WORDS.split())


def unmentioned(question: str, passages: Sequence[StoredPassage]) -> tuple[str, ...]:
    """Return the question's words of which no passage nor what stands above it holds the stem, in order, each once.

    Common English words do not count, nor do words of one or two letters. The stem is the word without its last three
    letters, at least four of them; a word with a digit or a mark inside is taken whole, since it is a name.
    """
    said = " ".join(each.in_context for each in passages).casefold()
    asked = dict.fromkeys(_WORD.findall(question))
    return tuple(word for word in asked if _counts(word) and _stem(word.casefold()) not in said)


def _counts(word: str) -> bool:
    return len(word) >= _SHORTEST and word.casefold() not in _COMMON


def _stem(word: str) -> str:
    return word if _NAME_LIKE.search(word) else word[: max(4, len(word) - _ENDING)]
