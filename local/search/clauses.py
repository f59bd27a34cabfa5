"""What each clause of a query matches, and with what score. A score is 0 wherever the mask is false."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import numpy as np

from local.search.documents import Vector
from local.search.shard import Shard
from local.search.terms import Mask, Scores

Matches = tuple[Mask, Scores]


class Clause(Protocol):
    """One query, ready to run."""

    def match(self, shard: Shard) -> Matches:
        """Return the live rows that match, and the score of each."""
        ...


def constant(mask: Mask) -> Matches:
    """Return a match that scores 1 everywhere."""
    return mask, mask.astype(np.float32)


@dataclass(frozen=True)
class Constant:
    """Rows chosen by `choose`, each with score 1."""

    choose: Callable[[Shard], Mask]

    def match(self, shard: Shard) -> Matches:
        """See Clause."""
        return constant(self.choose(shard))


@dataclass(frozen=True)
class Words:
    """Rows that hold any of the words (or all of them), scored with BM25."""

    field: str
    words: tuple[str, ...]
    needs_all: bool = False

    def match(self, shard: Shard) -> Matches:
        """See Clause."""
        index = shard.words[self.field] if self.field in shard.words else shard.keywords[self.field]
        live = shard.live
        scores = np.zeros(len(live), dtype=np.float32)
        held = np.zeros(len(live), dtype=np.int32)
        weights = Counter(self.words)
        for word, times in weights.items():
            score = index.score(word, live)
            held += score > 0
            scores += times * score
        mask = held == len(weights) if self.needs_all and weights else held > 0
        return mask, np.where(mask, scores, np.float32(0))


@dataclass(frozen=True)
class Bool:
    """All of `must` and `filter`, none of `must_not`, and at least `least` of `should`."""

    must: tuple[Clause, ...]
    filter: tuple[Clause, ...]
    should: tuple[Clause, ...]
    must_not: tuple[Clause, ...]
    least: int

    def match(self, shard: Shard) -> Matches:
        """See Clause."""
        mask = shard.live.copy()
        if not (self.must or self.filter or self.should or self.must_not):
            return constant(mask)
        scores = np.zeros(len(mask), dtype=np.float32)
        for clause in self.must:
            held, score = clause.match(shard)
            mask &= held
            scores += score
        for clause in self.filter:
            mask &= clause.match(shard)[0]
        for clause in self.must_not:
            mask &= ~clause.match(shard)[0]
        optional = [clause.match(shard) for clause in self.should]
        if self.least > 0:
            counted = reduce(lambda total, one: total + one[0], optional, np.zeros(len(mask), dtype=np.int32))
            mask &= counted >= self.least
        for _, score in optional:
            scores += score
        return mask, np.where(mask, scores, np.float32(0))


@dataclass(frozen=True)
class Nearest:
    """The `k` nearest vectors among the rows that match `within`, or all that score at least `least_score`."""

    field: str
    vector: Vector
    within: Clause | None
    k: int | None
    least_score: float

    def match(self, shard: Shard) -> Matches:
        """See Clause."""
        mask = self.within.match(shard)[0] if self.within else shard.live
        index = shard.vectors[self.field]
        if self.k is None:
            return index.within(self.vector, self.least_score, mask)
        return index.nearest(self.vector, self.k, mask)
