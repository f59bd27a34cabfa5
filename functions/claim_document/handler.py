"""ClaimDocument: take the next try of a version, unless something newer is known or its tenant is erased."""

from plinth.contracts import ClaimDocumentInput, ClaimDocumentOutput
from plinth.runtime import step
from plinth.runtime.known_tenants import is_known
from plinth.wiring import Services


def claim_document(request: ClaimDocumentInput, services: Services) -> ClaimDocumentOutput:
    """Return the number of the try: what it writes carries the number, so that no two tries mix."""
    if not is_known(request.document.tenant, services):
        return ClaimDocumentOutput(current=False)
    attempt = services.documents.begin(request.document, execution=request.execution, reread_for=request.reread_for)
    if attempt is None:
        return ClaimDocumentOutput(current=False)
    return ClaimDocumentOutput(current=True, attempt=attempt)


handler = step(claim_document)
