"""How well a word or a keyword fits a row: postings in memory, scored with BM25 as Lucene does."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from math import log

import numpy as np
import numpy.typing as npt

from local.search.columns import Column

Rows = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float32]

# Lucene's defaults; OpenSearch 2 keeps the factor (k1 + 1) of LegacyBM25Similarity, OpenSearch 3 dropped it.
K1 = 1.2
B = 0.75


def stored_length(length: int) -> int:
    """Return a field's length as Lucene keeps it in one byte (SmallFloat): exact below 40, then rounded down."""
    excess = length - 24
    shift = max(excess.bit_length() - 4, 0) if excess > 0 else 0
    return (excess >> shift << shift) + 24 if shift else length


def rarity(found: int, filled: int) -> float:
    """Return the weight of a term that `found` of the `filled` rows hold."""
    return (K1 + 1) * log(1 + (filled - found + 0.5) / (found + 0.5))


def as_rows(rows: array[int]) -> Rows:
    """Return the rows of a posting, as a view that must not outlive the call it is made in."""
    return np.frombuffer(rows, dtype=np.int32)


class WordIndex:
    """The words of one text field.

    A posting is one number per row that holds a word, ascending: the row in its upper 32 bits, how often in the lower.
    """

    def __init__(self) -> None:
        self._postings: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._lengths: Column[np.int32] = Column(np.int32)
        self._stored_lengths: Column[np.float32] = Column(np.float32)
        self._rows_filled = 0
        self._words_held = 0

    def add(self, row: int, terms: Sequence[str]) -> None:
        """Hold the words of a row; rows come in ascending order."""
        postings, upper = self._postings, row << 32
        for term, count in Counter(terms).items():
            postings[term].append(upper | count)
        self._lengths[row] = len(terms)
        self._stored_lengths[row] = stored_length(len(terms))
        self._rows_filled += bool(terms)
        self._words_held += len(terms)

    def remove(self, row: int) -> None:
        """Take a row out of the statistics; its postings are passed over because the row is no longer live."""
        length = int(self._lengths.first(row + 1)[row])
        self._lengths[row] = 0
        self._rows_filled -= bool(length)
        self._words_held -= length

    def rows_with(self, terms: Iterable[str], live: Mask) -> Mask:
        """Which live rows hold any of the terms."""
        mask = np.zeros(len(live), dtype=np.bool_)
        for term in terms:
            if term in self._postings:
                mask[self._pairs(term) >> 32] = True
        return mask & live

    def rows_filled(self, live: Mask) -> Mask:
        """Which live rows have a word in this field."""
        return (self._lengths.first(len(live)) > 0) & live

    def score(self, term: str, live: Mask) -> Scores:
        """Return the BM25 score of every row for one term, 0 where the row does not hold it or is not live."""
        scores = np.zeros(len(live), dtype=np.float32)
        if term in self._postings and self._words_held:
            pairs = self._pairs(term)
            rows = pairs >> 32
            counted = live[rows]
            weight = rarity(int(np.count_nonzero(counted)), self._rows_filled)
            relative = self._stored_lengths.first(len(live))[rows] * np.float32(self._rows_filled / self._words_held)
            damping = np.float32(K1) * (np.float32(1 - B) + np.float32(B) * relative)
            frequency = (pairs & 0xFFFFFFFF).astype(np.float32)
            scores[rows] = np.float32(weight) * counted * (frequency / (frequency + damping))
        return scores

    def _pairs(self, term: str) -> npt.NDArray[np.int64]:
        return np.frombuffer(self._postings[term], dtype=np.int64)


class KeywordIndex:
    """The whole values of one keyword or boolean field, without lengths and frequencies, as Lucene keeps them."""

    def __init__(self) -> None:
        self.values: dict[int, tuple[str, ...]] = {}
        self._postings: dict[str, array[int]] = {}
        self._terms_held = 0

    def add(self, row: int, terms: Sequence[str]) -> None:
        """Hold the values of a row; rows come in ascending order."""
        distinct = tuple(sorted(set(terms)))
        for term in distinct:
            self._postings.setdefault(term, array("i")).append(row)
        if distinct:
            self.values[row] = distinct
        self._terms_held += len(distinct)

    def remove(self, row: int) -> None:
        """Take a row out of the statistics."""
        self._terms_held -= len(self.values.pop(row, ()))

    def rows_with(self, terms: Iterable[str], live: Mask) -> Mask:
        """Which live rows hold any of the values."""
        mask = np.zeros(len(live), dtype=np.bool_)
        for term in terms:
            if term in self._postings:
                mask[as_rows(self._postings[term])] = True
        return mask & live

    def rows_between(self, accepts: Callable[[str], bool], live: Mask) -> Mask:
        """Which live rows hold a value that `accepts` takes."""
        return self.rows_with([term for term in self._postings if accepts(term)], live)

    def rows_filled(self, live: Mask) -> Mask:
        """Which live rows have a value in this field."""
        mask = np.zeros(len(live), dtype=np.bool_)
        mask[np.fromiter(self.values, dtype=np.int32, count=len(self.values))] = True
        return mask & live

    def score(self, term: str, live: Mask) -> Scores:
        """Return the BM25 score of every row for one value: its rarity, since lengths and frequencies are not kept."""
        mask = self.rows_with([term], live)
        if not self._terms_held:
            return mask.astype(np.float32)
        damping = K1 * (1 - B + B * len(self.values) / self._terms_held)
        weight = rarity(int(np.count_nonzero(mask)), len(self.values))
        return mask * np.float32(weight / (1 + damping))
