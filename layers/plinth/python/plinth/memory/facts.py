"""Which facts are one, which are near a question, and which give way where there are too many."""

import hashlib
from collections.abc import Iterable, Sequence
from operator import attrgetter

from plinth.contracts.conversations import MAX_FACT_CHARACTERS, MAX_FACTS, Fact


def fact_text(text: str) -> str:
    """Return the text as it is kept: on one line, cut at `MAX_FACT_CHARACTERS`; `ValueError` without a word."""
    one_line = " ".join(text.split())[:MAX_FACT_CHARACTERS]
    if not one_line:
        raise ValueError("a fact needs words")
    return one_line


def fact_id(text: str) -> str:
    """Return the id of a fact within its user: the same words, whatever their case, are the same fact."""
    return f"fact_{hashlib.sha256(fact_text(text).casefold().encode()).hexdigest()[:24]}"


def newest_first(facts: Iterable[Fact]) -> list[Fact]:
    """Return the facts by when they were last said; of one moment, by id."""
    return sorted(facts, key=attrgetter("at", "id"), reverse=True)


def surplus(facts: Iterable[Fact]) -> list[Fact]:
    """Return the facts that are over the limit of one user: the oldest."""
    return newest_first(facts)[MAX_FACTS:]


def nearest_facts(facts: Iterable[tuple[Fact, float]], *, limit: int) -> list[Fact]:
    """Return the facts by their likeness to a question, the most alike first."""
    ranked: Sequence[tuple[Fact, float]] = sorted(facts, key=lambda pair: (pair[1], pair[0].at), reverse=True)
    return [fact for fact, _ in ranked[:limit]]
