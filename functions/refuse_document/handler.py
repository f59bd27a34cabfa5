"""RefuseDocument: give a version that can't be ingested its reason and its place in the dead-letter queue."""

from plinth.chain.failures import document_failure
from plinth.contracts import RefuseDocumentInput, RefuseDocumentOutput
from plinth.runtime import step
from plinth.wiring import Services


def refuse_document(request: RefuseDocumentInput, services: Services) -> RefuseDocumentOutput:
    """Write the reason where the owner looks first, then queue the letter; what is live or newer gets none."""
    failure = document_failure(request.error, request.cause)
    refusal = services.documents.refuse(request.document, failure, execution=request.execution)
    if refusal:
        services.dead_letters.send(request.document, refusal)
    return RefuseDocumentOutput(reason=failure.reason, refused=refusal is not None)


handler = step(refuse_document)
