"""How rankings by words and by vectors become one: weighted reciprocal rank fusion (RRF).

A hit scores the sum over both rankings of weight / (k + rank), ranks from 1. Scores of the searches are not compared,
so no normalisation can go wrong. Cormack, Clarke and Büttcher (SIGIR 2009) took a k of 60; ours is that of ADR 20.
"""

from collections.abc import Sequence

from plinth.contracts.retrieval import Mix


def fuse(by_words: Sequence[str], by_vectors: Sequence[str], *, mix: Mix) -> list[tuple[str, float]]:
    """Return each id once with its fused score, best first; ties keep the order in which ids were met.

    The sequences hold ids, best first; an id met again in one of them is ignored, and so is a ranking of weight 0.
    """
    scores: dict[str, float] = {}
    for weight, ids in ((mix.words, by_words), (mix.vectors, by_vectors)):
        for rank, each in enumerate(dict.fromkeys(ids) if weight else (), start=1):
            scores[each] = scores.get(each, 0.0) + weight / (mix.k + rank)
    return sorted(scores.items(), key=lambda scored: -scored[1])
