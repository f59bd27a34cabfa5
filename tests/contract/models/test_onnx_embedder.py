"""What the packaged embedding model promises beyond its port, with its real weights."""

from pathlib import Path

import pytest

from plinth.adapters.onnx_embedder import OnnxEmbedder

OPENING = "The warehouse opens at nine in the morning."


@pytest.fixture(scope="module")
def embedder(embedding_directory: Path) -> OnnxEmbedder:
    return OnnxEmbedder(embedding_directory)


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_a_vector_has_384_numbers_and_length_one(embedder: OnnxEmbedder) -> None:
    for vector in embedder.embed([OPENING, "", "倉庫は九時に開く"]):
        assert len(vector) == embedder.dimensions == 384
        assert cosine(vector, vector) == pytest.approx(1.0, abs=1e-5)


def test_what_is_beyond_256_tokens_has_no_effect(embedder: OnnxEmbedder) -> None:
    full, longer = embedder.embed(["word " * 300, "word " * 300 + "and something else entirely"])

    assert full == longer
