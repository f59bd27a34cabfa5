"""Which documents a redrive takes."""

import pytest
from typer.testing import CliRunner

from client.commands import app
from client.commands.documents import chosen
from client.errors import UsageError
from plinth.contracts.memory import DocumentRecord, DocumentState


def document(number: int, state: DocumentState) -> DocumentRecord:
    return DocumentRecord(document_id=f"doc_{number}", name=f"{number}.pdf", state=state, updated_at=0.0)


DOCUMENTS = [document(1, DocumentState.READY), document(2, DocumentState.REFUSED), document(3, DocumentState.REFUSED)]


def test_without_a_name_every_refused_document_is_taken() -> None:
    assert [each.name for each in chosen(DOCUMENTS, [])] == ["2.pdf", "3.pdf"]


def test_documents_are_taken_by_name_or_id_and_an_unknown_one_is_named() -> None:
    assert [each.name for each in chosen(DOCUMENTS, ["doc_3", "1.pdf"])] == ["3.pdf", "1.pdf"]
    with pytest.raises(UsageError, match=r"4\.pdf"):
        chosen(DOCUMENTS, ["2.pdf", "4.pdf"])


@pytest.mark.parametrize("arguments", [[], ["--all", "a.pdf"]])
def test_it_is_either_names_or_all(arguments: list[str]) -> None:
    assert isinstance(CliRunner().invoke(app, ["documents", "redrive", *arguments]).exception, UsageError)
