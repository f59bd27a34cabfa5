"""How much memory a column takes as rows are added: it doubles, so that adding a row costs the same at any size."""

from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

Scalar = TypeVar("Scalar", bound=np.generic)


class Column(Generic[Scalar]):
    """One value (or one vector of `width`) per row of a shard, zero where none was set."""

    def __init__(self, dtype: type[Scalar], width: int | None = None) -> None:
        self._width = width
        self._dtype = dtype
        self._values: npt.NDArray[Scalar] = np.zeros(self._shape(256), dtype=dtype)

    def __setitem__(self, row: int, value: npt.ArrayLike) -> None:
        if row >= len(self._values):
            grown = np.zeros(self._shape(max(row + 1, 2 * len(self._values))), dtype=self._dtype)
            grown[: len(self._values)] = self._values
            self._values = grown
        self._values[row] = value

    def first(self, rows: int) -> npt.NDArray[Scalar]:
        """Return the first `rows` rows, as a view that is valid until the next row is set."""
        if rows > len(self._values):
            self[rows - 1] = 0
        return self._values[:rows]

    def _shape(self, rows: int) -> tuple[int, ...]:
        return (rows,) if self._width is None else (rows, self._width)
