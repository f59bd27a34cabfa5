"""What a vector costs: passages of the samples and short questions through the ONNX model, in this process."""

import statistics
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np

from bench.figures import Figure, in_turns, wall_ms
from bench.host import REPOSITORY
from local.models.files import cache_directory, ensure
from plinth.adapters.onnx_embedder import OnnxEmbedder
from plinth.adapters.parsers.__main__ import parse
from plinth.adapters.word_pieces import WordPieceCounter
from plinth.memory.splitting import split_document

_DOCUMENTS = REPOSITORY / "samples" / "documents" / "markdown"
_PASSAGES = 24
_SIDE = 512
_QUESTIONS = (
    "How do I remove a package and its configuration files?",
    "Which command lists the packages that can be upgraded?",
    "What is a pinned version?",
)


def measure(*, large: bool) -> list[Figure]:
    """Return the figures of a passage and of a question."""
    del large
    embedder = OnnxEmbedder(ensure("embedding", cache=cache_directory(), progress=print))
    texts = sample_passages()[:_PASSAGES]
    return [
        _figure("passage", texts, lambda text: embedder.embed([text])),
        _figure("question", [*_QUESTIONS] * (_PASSAGES // len(_QUESTIONS)), lambda text: embedder.embed([text])),
    ]


def _figure(name: str, texts: Sequence[str], embed: Callable[[str], object]) -> Figure:
    turn, matrix = cycle(texts), np.random.default_rng(7).standard_normal((_SIDE, _SIDE), dtype=np.float32)
    samples, reference = in_turns(
        wall_ms(lambda: embed(next(turn))), wall_ms(lambda: matrix @ matrix), times=len(texts)
    )
    return Figure(
        name=name,
        unit="ms",
        samples=samples,
        reference=f"numpy product of two {_SIDE} x {_SIDE} float32 matrices",
        reference_samples=reference,
        details={
            "mean_characters": round(statistics.mean(map(len, texts))),
            "per_second": round(1000 / statistics.mean(samples), 1),
        },
    )


def sample_passages() -> list[str]:
    """Return the passages of the sample documents in Markdown, in order."""
    return [passage for file in sorted(_DOCUMENTS.iterdir()) for passage in _passages(file)]


def _passages(file: Path) -> list[str]:
    counter = WordPieceCounter(ensure("embedding", cache=cache_directory(), progress=print))
    return [passage.in_context for passage in split_document(parse(file.name, file.read_bytes()), counter)]
