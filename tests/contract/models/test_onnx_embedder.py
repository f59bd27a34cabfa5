"""What the embedding model promises, with its real weights."""

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


def test_near_meanings_are_nearer_than_near_words(embedder: OnnxEmbedder) -> None:
    question, meaning, words = embedder.embed(
        ["What are the opening hours of the depot?", OPENING, "The depot of bones is an opening in a poem."]
    )

    assert cosine(question, meaning) > cosine(question, words)


def test_a_text_has_the_same_vector_in_any_company(embedder: OnnxEmbedder) -> None:
    (alone,) = embedder.embed([OPENING])

    _, in_company = embedder.embed(["A much longer neighbour. " * 30, OPENING])

    assert in_company == alone


def test_what_is_beyond_256_tokens_has_no_effect(embedder: OnnxEmbedder) -> None:
    full, longer = embedder.embed(["word " * 300, "word " * 300 + "and something else entirely"])

    assert full == longer


def test_no_text_is_no_vector(embedder: OnnxEmbedder) -> None:
    assert embedder.embed([]) == []
