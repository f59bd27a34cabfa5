"""How a file of an import becomes a document: placed in the bucket, and its event handed to the machine that waits.

The bucket's event alone orders a document's versions, so the import does not guess: it waits for it.
"""

from plinth.chain.failures import document_failure
from plinth.contracts.importing import (
    ImportFailure,
    NoteOutcomeInput,
    PlaceDocumentCallback,
    PlaceDocumentInput,
)
from plinth.contracts.memory import DocumentRecord, DocumentState, DocumentVersion
from plinth.errors import DocumentRefusedError, NotFoundError, PassagesNotVisibleError
from plinth.memory.importing import is_live, is_unchanged
from plinth.memory.naming import document_id
from plinth.runtime.known_tenants import is_known
from plinth.runtime.synced_files import bring
from plinth.wiring import Services

COPIED = "CopyObject"
"""The reason of the event of an object that an import placed. Source: Amazon S3 user guide, EventBridge events."""
_BEGUN_ALREADY = "StepFunctions.ExecutionAlreadyExistsException"


def place(request: PlaceDocumentInput, services: Services) -> bool:
    """Place the file unless its document is there already, as it is; the state is woken by the event, or at once."""
    tenant, file = request.batch.tenant, request.file
    if not is_known(tenant, services):
        raise DocumentRefusedError("tenant_erased", "the tenant was erased meanwhile")
    if file.source:
        bring(request, file.source, services)
        return True
    document = document_id(tenant, file.name)
    if is_unchanged(file, _known(request, services)):
        services.callbacks.succeed(request.task_token, _woken(PlaceDocumentCallback(placed=False)))
        return False
    services.imports.await_event(tenant, document, task_token=request.task_token)
    services.staged_files.place(tenant, file)
    return True


def hand_over(document: DocumentVersion, services: Services) -> bool:
    """Give the version to the import that placed it; False where none waits, and so its machine is to be started."""
    token = services.imports.awaited(document.tenant, document.document_id)
    if token is None:
        return False
    return services.callbacks.succeed(token, _woken(PlaceDocumentCallback(placed=True, document=document)))


def outcome(request: NoteOutcomeInput, services: Services) -> ImportFailure | None:
    """Return why the file did not become searchable, or None; raise where its document is still on its way."""
    name, known = request.file.name, _known(request, services)
    if is_unchanged(request.file, known) or _is_searchable(request, known):
        return None
    if known and known.state is DocumentState.REFUSED:
        return ImportFailure(name=name, reason=known.reason or "", message=known.message or "")
    if request.error and request.error != _BEGUN_ALREADY:
        failure = document_failure(request.error, request.cause)
        return ImportFailure(name=name, reason=failure.reason, message=failure.message)
    if known and known.state is DocumentState.INGESTING:
        raise PassagesNotVisibleError("the document is still being ingested")
    if known is None:  # an erased document leaves its name nowhere
        told = document_id(request.batch.tenant, name)
        return ImportFailure(name=told, reason="deleted", message="the document was deleted meanwhile")
    return ImportFailure(name=name, reason="replaced", message="the document was changed meanwhile")


def _is_searchable(request: NoteOutcomeInput, known: DocumentRecord | None) -> bool:
    """Say whether the file, which was placed, is searchable, whatever contexts it lacks; a sync's has no hash."""
    if known is None or request.error not in ("", _BEGUN_ALREADY):
        return False
    return known.state is DocumentState.READY if request.file.source else is_live(request.file, known)


def _known(request: PlaceDocumentInput | NoteOutcomeInput, services: Services) -> DocumentRecord | None:
    tenant = request.batch.tenant
    try:
        return services.documents.get(tenant, document_id(tenant, request.file.name))
    except NotFoundError:
        return None


def _woken(callback: PlaceDocumentCallback) -> dict[str, object]:
    return {"result": callback}
