"""RefuseDocument: give a version that can't be ingested its reason and its place in the dead-letter queue."""

from plinth.chain.failures import document_failure
from plinth.contracts import RefuseDocumentInput, RefuseDocumentOutput
from plinth.runtime import step
from plinth.runtime.known_tenants import is_known
from plinth.wiring import Services


def refuse_document(request: RefuseDocumentInput, services: Services) -> RefuseDocumentOutput:
    """Write the reason where the owner looks first, then queue the letter; what is live, newer or erased gets none."""
    failure = document_failure(request.error, request.cause)
    known = is_known(request.document.tenant, services)
    refusal = known and services.documents.refuse(request.document, failure, execution=request.execution)
    if refusal:
        services.dead_letters.send(request.document, refusal)
    return RefuseDocumentOutput(reason=failure.reason, refused=bool(refusal))


handler = step(refuse_document)
