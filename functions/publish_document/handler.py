"""PublishDocument: make a fully searchable version the live one."""

import msgspec

from plinth.contracts import PublishDocumentInput, PublishDocumentOutput
from plinth.contracts.memory import ParsedDocument
from plinth.errors import PassagesNotVisibleError
from plinth.runtime import step
from plinth.wiring import Services


def publish_document(request: PublishDocumentInput, services: Services) -> PublishDocumentOutput:
    """Publish once a search counts every passage, unless something newer is known; then remove older versions."""
    document = request.document
    visible = services.memory.count(document)
    if visible != request.passages and services.documents.awaits(document):
        raise PassagesNotVisibleError(f"{visible} of {request.passages} passages are searchable")
    parsed = msgspec.json.decode(services.work.get(document, "text"), type=ParsedDocument)
    version = services.documents.publish(
        document, title=parsed.title, passages=request.passages, tokens=request.tokens, source=parsed.source
    )
    if version is None:
        return PublishDocumentOutput(published=False, corpus_version=services.documents.corpus_version(document.tenant))
    services.memory.remove_older(document)
    return PublishDocumentOutput(published=True, corpus_version=version)


handler = step(publish_document)
