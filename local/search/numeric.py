"""Which rows hold a number in a range; dates are milliseconds."""

from array import array
from collections.abc import Iterable, Sequence

import numpy as np

from local.search.terms import Mask


class NumberIndex:
    """The values of one integer, long or date field, as pairs of row and value."""

    def __init__(self) -> None:
        self.values: dict[int, tuple[int, ...]] = {}
        self._rows = array("q")
        self._numbers = array("q")

    def add(self, row: int, numbers: Sequence[int]) -> None:
        """Hold the numbers of a row."""
        for number in numbers:
            self._rows.append(row)
            self._numbers.append(number)
        if numbers:
            self.values[row] = tuple(sorted(numbers))

    def remove(self, row: int) -> None:
        """Forget a row that is no longer live."""
        self.values.pop(row, None)

    def rows_between(self, low: int, high: int, live: Mask) -> Mask:
        """Which live rows hold a number from `low` to `high`, both included."""
        numbers = np.frombuffer(self._numbers, dtype=np.int64)
        return self._mask((numbers >= low) & (numbers <= high), live)

    def rows_with(self, numbers: Iterable[int], live: Mask) -> Mask:
        """Which live rows hold any of the numbers."""
        return self._mask(np.isin(np.frombuffer(self._numbers, dtype=np.int64), list(numbers)), live)

    def rows_filled(self, live: Mask) -> Mask:
        """Which live rows have a number in this field."""
        return self._mask(np.ones(len(self._numbers), dtype=np.bool_), live)

    def _mask(self, chosen: Mask, live: Mask) -> Mask:
        mask = np.zeros(len(live), dtype=np.bool_)
        mask[np.frombuffer(self._rows, dtype=np.int64)[chosen]] = True
        return mask & live
