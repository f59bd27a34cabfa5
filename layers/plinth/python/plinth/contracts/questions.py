"""How a question is compared with others: its vector, and the questions whose answers were kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionVector:
    """A question's unit vector by one embedding model, as little-endian half-precision numbers."""

    model: str
    halves: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptQuestion:
    """A question that has a cached answer, under `answer_key`."""

    vector: QuestionVector
    answer_key: str
