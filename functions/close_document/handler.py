"""CloseDocument: leave a tombstone, so that a late event can't bring a deleted document back."""

from plinth.contracts import CloseDocumentInput, CloseDocumentOutput
from plinth.runtime import step
from plinth.wiring import Services


def close_document(request: CloseDocumentInput, services: Services) -> CloseDocumentOutput:
    """Write the tombstone at the deletion's sequence and raise the corpus version: cached answers go stale."""
    return CloseDocumentOutput(corpus_version=services.documents.close(request.document))


handler = step(close_document)
