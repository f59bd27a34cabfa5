"""FillDocument: bring a live version into an index that lacks it."""

from plinth.contracts import FillDocumentInput, FillDocumentOutput
from plinth.errors import PassagesNotVisibleError
from plinth.runtime import step
from plinth.runtime.indexing import copy_version
from plinth.wiring import Services


def fill_document(request: FillDocumentInput, services: Services) -> FillDocumentOutput:
    """Note the version once a search counts it whole; else copy it, but never again while that does not show.

    A serverless collection keeps every copy, and shows it only after 10 s. What is not live any more is stale.
    """
    document, target = request.document, request.target
    if not services.documents.is_live(document):
        return FillDocumentOutput(copied=request.copied, stale=True)
    visible = services.memory.named(target).count(document)
    if visible == request.passages:
        return FillDocumentOutput(copied=visible, stale=not services.documents.copied(document, target))
    if request.copied:
        raise PassagesNotVisibleError(f"{visible} of {request.passages} passages are searchable in {target}")
    copy_version(document, target, services, passages=request.passages)
    return FillDocumentOutput(copied=request.passages, stale=False, awaited=True)


handler = step(fill_document)
