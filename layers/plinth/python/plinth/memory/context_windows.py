"""Which passages a model is asked about, in which company, and how much of what it wrote is kept with a passage."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from plinth.contracts.memory import ParsedDocument, Passage
from plinth.ports.models import TokenCounter

WINDOW_PASSAGES = 8
BEGINNING_CHARACTERS = 1_200
ROOM_TOKENS = 48
"""What a passage leaves of the embedding model's window for its context: about 30 words of English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomLeft:
    """A `TokenCounter` whose window leaves room for contexts."""

    counter: TokenCounter

    @property
    def window(self) -> int:
        """What a passage may have."""
        return self.counter.window - ROOM_TOKENS

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the same counts."""
        return self.counter.count(texts)


def beginning_of(document: ParsedDocument) -> str:
    """Return what is told of the document with each window."""
    return document.text[:BEGINNING_CHARACTERS]


def context_key(passage: Passage, *, told: Sequence[str]) -> str:
    """Return the name of all that decides a passage's context: itself with its headings, and what is `told` with it.

    The other passages of its window help, but are not in it: one that stays keeps its context when another changes.
    """
    digest = hashlib.sha256()
    for part in (*told, passage.in_context):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def windows_of(passages: Iterable[Passage], *, characters: int) -> tuple[tuple[int, ...], ...]:
    """Return the passages' positions in windows of at most so many characters, but for a passage that has more."""
    windows: list[tuple[int, ...]] = []
    window: tuple[int, ...] = ()
    length = 0
    for passage in passages:
        if window and (len(window) == WINDOW_PASSAGES or length + len(passage.in_context) > characters):
            windows.append(window)
            window, length = (), 0
        window, length = (*window, passage.position), length + len(passage.in_context)
    return (*windows, window) if window else tuple(windows)


def placed(
    passages: Iterable[Passage], contexts: Mapping[str, str], keys: Sequence[str], counter: TokenCounter
) -> tuple[Passage, ...]:
    """Return the passages with their contexts, each cut after the last word that the embedding model still reads."""
    return tuple(
        _with_context(passage, contexts[key], key, counter) if key in contexts else passage
        for passage, key in zip(passages, keys, strict=True)
    )


def _with_context(passage: Passage, context: str, key: str, counter: TokenCounter) -> Passage:
    room = counter.window - passage.tokens
    fitting, used = _beginning(context.split(" "), room, counter)
    joint = " "
    if not fitting:  # a first word too long: a language that writes no spaces is cut between its characters
        joint = ""
        fitting, used = _beginning(list(context), room, counter)
    if not fitting:
        return passage
    return replace(passage, context=joint.join(fitting), context_key=key, tokens=passage.tokens + used)


def _beginning(parts: Sequence[str], room: int, counter: TokenCounter) -> tuple[list[str], int]:
    """Return the first parts that fit, and their tokens."""
    fitting, used = list[str](), 0
    for part, tokens in zip(parts, counter.count(parts), strict=True):
        if used + tokens > room:
            break
        fitting.append(part)
        used += tokens
    return fitting, used
