"""Which words and names of a question no passage holds: what it is about may not be in the documents at all."""

import re
from collections.abc import Iterable, Sequence

from plinth.contracts.memory import Missing, StoredPassage

_WORD = re.compile(r"\w[\w:./+-]*\w|\w")
_INNER_WORD = re.compile(r"""(?<=[\w,;:)"'] )["'(]*(\w[\w./+-]*\w)""")
_PART = re.compile(r"[^\W_]{2,}")
_JOINT = re.compile(r"[-/.]")
_NAME_LIKE = re.compile(r"[\d:./+-]")
_SHORTEST = 3
_ENDING = 3
_BEGINNING = 5
_LONGEST_ACRONYM = 5
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

    A name, a word with a capital that does not begin a sentence, is there if any part of it, or all without marks, is a
    word of a passage: the same but for a plural's s, or but for three letters after five at least. A long word in
    capitals only is said loudly. Where most words are missing or all is said loudly, no name is told: the question may
    be in another language, in which every noun is written so.
    """
    words = missing_words(passages, question)
    if question.isupper() or 2 * len(words) > len(_counted(_WORD.findall(question))):
        return Missing(words=words)
    held = {form for part in _parts(_said(passages)) for form in _forms(part)}
    named = filter(_is_name, _counted(_INNER_WORD.findall(question)))
    return Missing(words=words, names=tuple(name for name in named if not _is_held(name, held)))


def _is_name(word: str) -> bool:
    return any(map(str.isupper, word)) and not (word.isupper() and len(word) > _LONGEST_ACRONYM)


def _is_held(name: str, held: set[str]) -> bool:
    forms = {form for part in _parts(name) for form in _forms(part)}
    return not held.isdisjoint(forms) or any(_begin_alike(form, word) for form in forms for word in held)


def _begin_alike(one: str, other: str) -> bool:
    least = max(_BEGINNING, len(one) - _ENDING, len(other) - _ENDING)
    return one[:least] == other[:least]


def _parts(text: str) -> list[str]:
    return _PART.findall(f"{text} {_JOINT.sub('', text)}")


def _forms(part: str) -> tuple[str, str]:
    """Return the part as it is and without a plural's s, which is small even where the part is not."""
    return part.casefold(), part.removesuffix("s").casefold()


def _said(passages: Sequence[StoredPassage]) -> str:
    return " ".join(each.in_context for each in passages).casefold()


def _counted(words: Iterable[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if len(word) >= _SHORTEST and word.casefold() not in _COMMON]


def _stem(word: str) -> str:
    return word if _NAME_LIKE.search(word) else word[: max(4, len(word) - _ENDING)]
