"""How near a vector is: exact distances in memory, turned into scores by the formulas of the k-NN plugin."""

import numpy as np
import numpy.typing as npt

from local.search.columns import Column
from local.search.documents import Vector
from local.search.mapping import KnnMethod, SpaceType, VectorField
from local.search.terms import Mask, Scores

Distances = npt.NDArray[np.float64]


def to_scores(distances: Distances, space_type: SpaceType) -> Distances:
    """Scores of distances (k-NN plugin, SpaceType.java, 2.19): cosinesimil 1 - cos, l2 squared, innerproduct -ip."""
    if space_type == "cosinesimil":
        return np.maximum((2 - distances) / 2, 0)
    if space_type == "l2":
        return 1 / (1 + distances)
    return np.where(distances <= 0, 1 - distances, 1 / (1 + np.maximum(distances, 0)))


def least_score_within(max_distance: float, method: KnnMethod) -> float:
    """Return the score at a distance. Under innerproduct, engine lucene takes the product itself as the distance."""
    negated = method.space_type == "innerproduct" and method.engine == "lucene"
    return float(to_scores(np.array(-max_distance if negated else max_distance), method.space_type))


class VectorIndex:
    """The vectors of one field, compared without approximation."""

    def __init__(self, field: VectorField) -> None:
        self.field = field
        self._filled: Column[np.bool_] = Column(np.bool_)
        self._vectors: Column[np.float32] = Column(np.float32, field.dimension)
        self._squares: Column[np.float32] = Column(np.float32)

    def add(self, row: int, vector: Vector) -> None:
        """Hold the vector of a row; under cosinesimil its direction only."""
        directed = self._directed(vector)
        self._filled[row] = True
        self._vectors[row] = directed
        if self.field.method.space_type == "l2":
            self._squares[row] = directed @ directed

    def remove(self, row: int) -> None:
        """Forget a row that is no longer live."""
        self._filled[row] = False

    def rows_filled(self, live: Mask) -> Mask:
        """Which live rows have a vector in this field."""
        return self._filled.first(len(live)) & live

    def nearest(self, vector: Vector, k: int, mask: Mask) -> tuple[Mask, Scores]:
        """Return the `k` best rows within `mask` and their scores; equal scores go to the earlier row."""
        rows = np.flatnonzero(mask & self._filled.first(len(mask)))
        if len(rows) > k:
            rough = self._rough_distances(vector, rows, len(mask))
            spare = min(k + 32, len(rows))
            rows = np.sort(rows[np.argpartition(rough, spare - 1)[:spare]])
        scores = self._exact_scores(vector, rows)
        best = np.argsort(-scores, kind="stable")[:k]
        return _spread(rows[best], scores[best], len(mask))

    def within(self, vector: Vector, least_score: float, mask: Mask) -> tuple[Mask, Scores]:
        """Return the rows within `mask` that score at least `least_score`, and their scores."""
        rows = np.flatnonzero(mask & self._filled.first(len(mask)))
        scores = self._exact_scores(vector, rows)
        chosen = scores >= least_score
        return _spread(rows[chosen], scores[chosen], len(mask))

    def _rough_distances(self, vector: Vector, rows: npt.NDArray[np.intp], total: int) -> Vector:
        query = self._directed(vector)
        if 3 * len(rows) < total:
            products = self._vectors.first(total)[rows] @ query
        else:
            products = (self._vectors.first(total) @ query)[rows]
        if self.field.method.space_type == "l2":
            return (self._squares.first(total)[rows] - 2 * products).astype(np.float32)
        return -products

    def _exact_scores(self, vector: Vector, rows: npt.NDArray[np.intp]) -> Scores:
        query = self._directed(vector).astype(np.float64)
        parts = [self._exact_distances(query, rows[start : start + 4096]) for start in range(0, len(rows), 4096)]
        distances = np.concatenate(parts) if parts else np.zeros(0)
        return to_scores(distances, self.field.method.space_type).astype(np.float32)

    def _exact_distances(self, query: Distances, rows: npt.NDArray[np.intp]) -> Distances:
        held = self._vectors.first(int(rows.max()) + 1)[rows].astype(np.float64)
        if self.field.method.space_type == "l2":
            gaps: Distances = np.square(held - query).sum(axis=1)
            return gaps
        products: Distances = (held * query).sum(axis=1)
        return 1 - products if self.field.method.space_type == "cosinesimil" else -products

    def _directed(self, vector: Vector) -> Vector:
        if self.field.method.space_type != "cosinesimil":
            return vector
        return (vector / np.linalg.norm(vector.astype(np.float64))).astype(np.float32)


def _spread(rows: npt.NDArray[np.intp], scores: Scores, total: int) -> tuple[Mask, Scores]:
    mask = np.zeros(total, dtype=np.bool_)
    mask[rows] = True
    spread = np.zeros(total, dtype=np.float32)
    spread[rows] = scores
    return mask, spread
