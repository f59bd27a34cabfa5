"""A model and an embedder that say what a test scripts."""

from collections.abc import Iterator, Sequence
from zlib import crc32

from plinth.contracts.models import ModelEnd, ModelRequest, StopReason, TextChunk, Usage
from plinth.errors import ModelError


class FakeModel:
    """`LanguageModel` that plays one script per call: chunks, then an end, an error, or (with neither) a cut."""

    def __init__(self, *scripts: tuple[Sequence[str], ModelEnd | ModelError | None]) -> None:
        self._scripts = list(scripts)
        self.requests: list[ModelRequest] = []

    def stream(self, request: ModelRequest) -> Iterator[TextChunk | ModelEnd]:
        self.requests.append(request)
        chunks, end = self._scripts.pop(0)
        yield from (TextChunk(text=chunk) for chunk in chunks)
        if isinstance(end, ModelError):
            raise end
        if end is not None:
            yield end


def whole(stop_reason: StopReason = StopReason.END) -> ModelEnd:
    """Return the end of a call of 100 tokens in and 20 out."""
    return ModelEnd(stop_reason=stop_reason, usage=Usage(input_tokens=100, output_tokens=20))


class FakeEmbedder:
    """`Embedder` of 8 dimensions: texts that share words are near one another."""

    model_id = "fake-8"

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [_vector(text) for text in texts]


def _vector(text: str) -> list[float]:
    counts = [0.0] * 8
    for word in text.lower().split():
        counts[crc32(word.encode()) % 8] += 1.0
    length = sum(value * value for value in counts) ** 0.5 or 1.0
    return [value / length for value in counts]
