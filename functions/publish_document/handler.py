"""PublishDocument: make a fully searchable version the live one."""

import msgspec

from plinth.contracts import PublishDocumentInput, PublishDocumentOutput
from plinth.contracts.context_orders import DocumentContexts
from plinth.contracts.memory import Content, ParsedDocument
from plinth.errors import PassagesNotVisibleError
from plinth.runtime import step
from plinth.wiring import Services


def publish_document(request: PublishDocumentInput, services: Services) -> PublishDocumentOutput:
    """Publish once a search counts every passage in each index, unless something newer is known; remove older ones."""
    document, corpus = request.document, services.documents.corpus(request.document.tenant)
    if not set(corpus.indexes.all) <= set(request.indexes):
        return PublishDocumentOutput(published=False, moved=True, corpus_version=corpus.version)
    memories = [services.memory.named(index) for index in corpus.indexes.all]
    visible = min(memory.count(document) for memory in memories)
    if visible != request.passages and services.documents.awaits(document):
        raise PassagesNotVisibleError(f"{visible} of {request.passages} passages are searchable")
    parsed = msgspec.json.decode(services.work.get(document, "text"), type=ParsedDocument)
    content = Content(
        title=parsed.title,
        passages=request.passages,
        tokens=request.tokens,
        source=parsed.source,
        indexes=corpus.indexes,
        contexts=_contexts(request, parsed.source.contexts.model),
    )
    version = services.documents.publish(document, content)
    if version is None:
        return PublishDocumentOutput(published=False, corpus_version=services.documents.corpus_version(document.tenant))
    for memory in memories:
        memory.remove_older(document)
    return PublishDocumentOutput(published=True, corpus_version=version)


def _contexts(request: PublishDocumentInput, model: str) -> DocumentContexts | None:
    if not model:
        return None
    missing, cost = request.passages - request.in_context, request.contexts_micro_usd
    return DocumentContexts(model=model, passages=request.in_context, missing=missing, cost_micro_usd=cost)


handler = step(publish_document)
