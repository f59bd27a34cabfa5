"""Which of the passages that were found are worth a place in a prompt, and in what order."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from plinth.contracts.memory import Span, StoredPassage

_WORD = re.compile(r"\w+")


def above_floor(ranked: Sequence[StoredPassage], *, floor: float) -> tuple[StoredPassage, ...]:
    """Return the passages, or none where the question is less similar than `floor` to every one of them.

    A passage that only words found has no similarity, and lifts nothing: its words may mean something else.
    """
    nearest = max((each.similarity for each in ranked if each.similarity is not None), default=-1.0)
    return tuple(ranked) if nearest >= floor else ()


def collapse(ranked: Sequence[StoredPassage], *, per_document: int) -> tuple[StoredPassage, ...]:
    """Return the passages without those whose text a better one has, at most `per_document` of each document."""
    kept: list[StoredPassage] = []
    texts: set[str] = set()
    taken: Counter[str] = Counter()
    for each in ranked:
        said = " ".join(each.text.split())
        if said not in texts and taken[each.document_id] < per_document:
            kept.append(each)
            texts.add(said)
            taken[each.document_id] += 1
    return tuple(kept)


def rescored(ranked: Sequence[StoredPassage], scores: Sequence[float]) -> tuple[StoredPassage, ...]:
    """Return the passages in the order of these scores, one for each; equal ones keep their order."""
    pairs = sorted(zip(ranked, scores, strict=True), key=lambda pair: -pair[1])
    return tuple(replace(passage, score=score) for passage, score in pairs)


def diverse(ranked: Sequence[StoredPassage], *, diversity: float, limit: int) -> tuple[StoredPassage, ...]:
    """Return `limit` passages by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998).

    What a passage is worth falls evenly with its rank; what it shares with one that was taken is the share of their
    words (Jaccard), since vectors would have to be fetched with every hit.
    """
    if not diversity:
        return tuple(ranked[:limit])
    worth = {each.chunk_id: 1 - rank / len(ranked) for rank, each in enumerate(ranked)}
    words = {each.chunk_id: set(_WORD.findall(each.text.lower())) for each in ranked}
    left, taken = list(ranked), list[StoredPassage]()
    nearest = dict.fromkeys(worth, 0.0)
    while left and len(taken) < limit:
        best = max(left, key=lambda each: (1 - diversity) * worth[each.chunk_id] - diversity * nearest[each.chunk_id])
        left.remove(best)
        taken.append(best)
        for each in left:
            alike = _shared(words[each.chunk_id], words[best.chunk_id])
            nearest[each.chunk_id] = max(nearest[each.chunk_id], alike)
    return tuple(taken)


def spans_around(chosen: Sequence[StoredPassage], *, neighbours: int) -> tuple[Span, ...]:
    """Return where the neighbours of each passage lie, the passage itself included."""
    return tuple(_spans(chosen, neighbours)) if neighbours else ()


def with_neighbours(chosen: Sequence[StoredPassage], near: Sequence[StoredPassage]) -> tuple[StoredPassage, ...]:
    """Return the passages, then those of their neighbours that are not among them: they take what place is left."""
    known = {each.chunk_id for each in chosen}
    fresh = {each.chunk_id: each for each in near if each.chunk_id not in known}
    return (*chosen, *fresh.values())


def _spans(chosen: Sequence[StoredPassage], neighbours: int) -> Iterator[Span]:
    for each in chosen:
        yield Span(
            document_id=each.document_id,
            generation=each.generation,
            first=max(0, each.position - neighbours),
            last=each.position + neighbours,
        )


def _shared(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0
