"""The sample documents: listed, licensed, small enough, and they hold the answers that the questions expect."""

import functools
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from selectolax.lexbor import LexborHTMLParser

SAMPLES = Path(__file__).parents[3] / "samples"
DOCUMENTS = SAMPLES / "documents"
ROW = re.compile(
    r"^\| \[(?P<name>[^\]]+)\]\(documents/(?P<link>[^)]+)\) \|(.*)\| \[text\]\((?P<licence>[^)]+)\) \|$", re.M
)
SETS: dict[str, list[dict[str, Any]]] = {
    name: json.loads((SAMPLES / f"{name}.json").read_text("utf-8")) for name in ("questions", "held_out_questions")
}
QUESTIONS = [question for asked in SETS.values() for question in asked]
ANSWERABLE = [question for question in QUESTIONS if question["answerable"]]
UNANSWERABLE = [question for question in QUESTIONS if not question["answerable"]]


def document_names() -> list[str]:
    """Return the paths of the documents below the documents folder, sorted."""
    return sorted(path.relative_to(DOCUMENTS).as_posix() for path in DOCUMENTS.rglob("*") if path.is_file())


def rows() -> list[re.Match[str]]:
    """Return the rows of the table in the README."""
    return list(ROW.finditer((SAMPLES / "README.md").read_text("utf-8")))


@functools.cache
def text_of(name: str) -> str:
    """Return the plain text of a document, as its own format defines it."""
    path = DOCUMENTS / name
    if path.suffix == ".html":
        body = LexborHTMLParser(path.read_bytes()).body
        return body.text() if body else ""
    if path.suffix == ".pdf":
        with pypdfium2.PdfDocument(path) as pdf:
            return "\n".join(pdf[number].get_textpage().get_text_bounded() for number in range(len(pdf)))
    return path.read_text("utf-8")


def squeezed(text: str) -> str:
    """Return the text in lower case without white space, which a parser may put or leave out between two tags."""
    return re.sub(r"\s+", "", text).lower()


def test_the_readme_lists_each_document_once_and_nothing_else() -> None:
    """A document without a row has no known origin or licence."""
    assert sorted(row["name"] for row in rows()) == document_names()
    assert all(row["name"] == row["link"] for row in rows())


def test_each_licence_file_that_the_readme_names_exists_and_has_text() -> None:
    """Each licence asks that its text travels with the document."""
    assert all((SAMPLES / row["licence"]).stat().st_size > 400 for row in rows())


def test_no_licence_file_is_left_over() -> None:
    """A licence file without a document would claim terms for nothing."""
    named = {row["licence"] for row in rows()} | {"LICENSES/GPL-2.txt", "LICENSES/GPL-3.txt"}

    assert {path.relative_to(SAMPLES).as_posix() for path in (SAMPLES / "LICENSES").iterdir()} == named


def test_all_four_formats_are_there_with_several_documents_each() -> None:
    """The samples exercise every format that ingest reads."""
    counts = Counter(Path(name).suffix for name in document_names())

    assert set(counts) == {".html", ".md", ".pdf", ".txt"}
    assert counts[".html"] >= 15
    assert counts[".md"] >= 4
    assert counts[".pdf"] >= 3
    assert counts[".txt"] >= 5


def test_the_folder_stays_small_enough_to_ingest_in_seconds() -> None:
    """Embedding does some 40 passages of 1,000 characters a second on two cores."""
    assert sum((DOCUMENTS / name).stat().st_size for name in document_names()) < 3_000_000
    assert sum(len(text_of(name)) for name in document_names()) < 700_000


def test_every_document_has_text() -> None:
    """A scanned or empty document could answer nothing."""
    assert all(len(text_of(name)) > 1_000 for name in document_names())


def test_no_question_is_asked_twice() -> None:
    """What was fitted to the one set must not be known from the other."""
    assert all(len({question[key] for question in QUESTIONS}) == len(QUESTIONS) for key in ("id", "question"))


@pytest.mark.parametrize("asked", SETS.values(), ids=SETS.keys())
def test_twenty_questions_of_a_set_have_an_answer_and_ten_have_none(asked: list[dict[str, Any]]) -> None:
    """The score of a model is out of these numbers."""
    assert Counter(question["answerable"] for question in asked) == {True: 20, False: 10}


@pytest.mark.parametrize("asked", SETS.values(), ids=SETS.keys())
def test_the_answers_of_a_set_are_spread_over_all_four_formats(asked: list[dict[str, Any]]) -> None:
    """A parser that loses one format must lose points."""
    suffixes = {Path(name).suffix for question in asked for name in question.get("documents", ())}

    assert suffixes == {".html", ".md", ".pdf", ".txt"}


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda question: question["id"])
def test_the_supporting_sentence_is_in_each_document_that_a_question_names(question: dict[str, Any]) -> None:
    """The expected answer is a fact of the documents."""
    sentence = squeezed(question["supporting_sentence"])

    assert question["documents"]
    assert all(sentence in squeezed(text_of(name)) for name in question["documents"])


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda question: question["id"])
def test_the_supporting_sentence_would_count_as_a_right_answer(question: dict[str, Any]) -> None:
    """A model that quotes the passage must not be marked wrong."""
    sentence = question["supporting_sentence"].lower()

    assert question["must_contain"]
    assert all(any(string.lower() in sentence for string in strings) for strings in question["must_contain"])


@pytest.mark.parametrize("question", UNANSWERABLE, ids=lambda question: question["id"])
def test_no_document_mentions_what_an_unanswerable_question_is_about(question: dict[str, Any]) -> None:
    """Any concrete answer to such a question is made up."""
    corpus = " ".join(" ".join(text_of(name) for name in document_names()).lower().split())

    assert question["not_mentioned"]
    assert not [term for term in question["not_mentioned"] if term.lower() in corpus]
