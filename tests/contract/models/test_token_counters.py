"""Counters of tokens: the fake, and the embedding model's own tokenizer."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plinth.adapters.onnx_embedder import OnnxEmbedder
from plinth.adapters.word_pieces import WordPieceCounter
from plinth.contracts.memory import ParsedDocument, Section
from plinth.memory.splitting import split_document
from plinth.ports.models import TokenCounter
from tests.fakes.models import FakeTokenCounter

SAME_COUNTER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
DENSE = {
    "Chinese": "倉庫は九時に開き月曜日は休みです。" * 60,
    "Korean": "창고는아홉시에열립니다 " * 80,
    "numbers": " ".join(str(number * 7919) for number in range(400)),
    "a table": "a | b | c\n" + "\n".join(f"{number} | {number * 31} | -" for number in range(200)),
    "marks": "{}();:->" * 200,
    "emoji": "🎉" * 900,
    "one word": "a1" * 2_000,
}


@pytest.fixture(scope="module")
def real(embedding_directory: Path) -> WordPieceCounter:
    return WordPieceCounter(embedding_directory)


@pytest.fixture(params=["fake", "real"])
def counter(request: pytest.FixtureRequest) -> TokenCounter:
    return FakeTokenCounter() if request.param == "fake" else request.getfixturevalue("real")


def test_each_text_is_counted_in_order(counter: TokenCounter) -> None:
    assert counter.count(["one two", "", "one, two."]) == [2, 0, 4]
    assert counter.count([]) == []


@SAME_COUNTER
@given(parts=st.lists(st.text(), max_size=4), gap=st.sampled_from([" ", "\n", "\n\n", " \n"]))
def test_what_spaces_and_line_breaks_part_adds_up(counter: TokenCounter, parts: list[str], gap: str) -> None:
    assert counter.count([gap.join(parts)]) == [sum(counter.count(parts))]


@pytest.mark.parametrize("text", DENSE.values(), ids=DENSE.keys())
def test_a_passage_of_any_script_is_within_the_window(real: WordPieceCounter, text: str) -> None:
    section = Section(text=text, path=("見出し " * 60,))

    passages = split_document(ParsedDocument(title="T", sections=(section,)), real)

    assert "".join("".join(each.text.split()) for each in passages) == "".join(text.split())
    assert [each.tokens for each in passages] == real.count([each.in_context for each in passages])
    assert all(each.tokens <= real.window for each in passages)


def test_what_is_counted_is_what_the_model_reads(real: WordPieceCounter, embedding_directory: Path) -> None:
    embedder = OnnxEmbedder(embedding_directory)
    full, longer, shorter = embedder.embed(["word " * 254, "word " * 254 + "end", "word " * 253])

    assert real.count(["word " * 254]) == [real.window]
    assert full == longer
    assert full != shorter
