"""FillDocument: bring a live version into an index that lacks it."""

from plinth.contracts import FillDocumentInput, FillDocumentOutput
from plinth.errors import PassagesNotVisibleError
from plinth.runtime import step
from plinth.runtime.indexing import copy_version
from plinth.wiring import Services


def fill_document(request: FillDocumentInput, services: Services) -> FillDocumentOutput:
    """Copy what the searched index holds, and note it once a search counts it; what is not live any more is stale."""
    document, target = request.document, request.target
    if not services.documents.is_live(document):
        return FillDocumentOutput(copied=0, stale=True)
    copied = copy_version(document, target, services)
    visible = services.memory.named(target).count(document)
    if (copied, visible) != (request.passages, request.passages) and services.documents.is_live(document):
        raise PassagesNotVisibleError(f"{visible} of {request.passages} passages are searchable in {target}")
    return FillDocumentOutput(copied=copied, stale=not services.documents.copied(document, target))


handler = step(fill_document)
