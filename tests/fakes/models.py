"""A model that says what a test scripts, an embedder, and a counter of tokens."""

import re
from collections.abc import Iterator, Sequence
from zlib import crc32

from plinth.contracts.models import ModelEnd, ModelRequest, StopReason, StreamItem, TextChunk, Usage, Working
from plinth.errors import ModelError, ModelStreamCutError

Turn = tuple[Sequence[str | Working], ModelEnd | ModelError | None]
"""What a model says in one call, and its end, its error, or (with neither) a cut."""


class FakeModel:
    """`LanguageModel` that takes one turn per call. It never waits: a turn says that it was silent."""

    def __init__(self, *turns: Turn) -> None:
        self._turns = list(turns)
        self.requests: list[ModelRequest] = []

    def stream(self, request: ModelRequest) -> Iterator[StreamItem]:
        self.requests.append(request)
        said, end = self._turns.pop(0)
        yield from (TextChunk(text=each) if isinstance(each, str) else each for each in said)
        if not isinstance(end, ModelEnd):
            raise end or ModelStreamCutError("the stream ended in the middle")
        yield end


def whole(stop_reason: StopReason = StopReason.END) -> ModelEnd:
    """Return the end of a call of 100 tokens in and 20 out."""
    return ModelEnd(stop_reason=stop_reason, usage=Usage(input_tokens=100, output_tokens=20))


class FakeEmbedder:
    """`Embedder` of 8 dimensions: texts that share words are near one another."""

    model_id = "fake-8"

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [_vector(text) for text in texts]


class FakeTokenCounter:
    """`TokenCounter` to which each word and each mark is a token."""

    def __init__(self, window: int = 254) -> None:
        self.window = window

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]


def _vector(text: str) -> list[float]:
    counts = [0.0] * 8
    for word in text.lower().split():
        counts[crc32(word.encode()) % 8] += 1.0
    length = sum(value * value for value in counts) ** 0.5 or 1.0
    return [value / length for value in counts]
