"""How rankings of different searches become one: weighted reciprocal rank fusion (RRF).

A hit scores the sum over rankings of weight / (k + rank), ranks from 1. Scores of the searches are not compared, so
no normalisation can go wrong. k=60 is the constant of Cormack, Clarke and Büttcher (SIGIR 2009).
"""

from collections.abc import Iterable, Sequence


def fuse(rankings: Iterable[tuple[float, Sequence[str]]], *, k: int = 60) -> list[tuple[str, float]]:
    """Return each id once with its fused score, best first; ties keep the order in which ids were met.

    `rankings` are pairs of a weight and the ids of one search, best first; an id met again in one ranking is ignored.
    """
    scores: dict[str, float] = {}
    for weight, ids in rankings:
        for rank, each in enumerate(dict.fromkeys(ids), start=1):
            scores[each] = scores.get(each, 0.0) + weight / (k + rank)
    return sorted(scores.items(), key=lambda scored: -scored[1])
