"""How an object that a sync found becomes a document: marked, noted, copied, and noted as done."""

from dataclasses import replace

from plinth.contracts.importing import ImportedFile, PlaceDocumentInput, SyncedObject
from plinth.contracts.syncs import Sync
from plinth.contracts.tenant import Tenant
from plinth.errors import DocumentRefusedError, InvalidFieldError, NotFoundError
from plinth.memory.naming import document_id
from plinth.memory.prefix_sync import marks_of_path, tenant_of
from plinth.memory.tagging import labels_of, marks_of_object
from plinth.wiring import Services


def standing(tenant: Tenant, sync_id: str, services: Services) -> Sync | None:
    """Return the sync as it is now, None where there is none any more."""
    try:
        return services.syncs.get(tenant, sync_id)
    except NotFoundError:
        return None


def bring(request: PlaceDocumentInput, source: SyncedObject, services: Services) -> None:
    """Place a file of a sync, marked by its path, its own tags and the sync; `DocumentRefusedError` says why not.

    It is noted before, so that a copy whose object goes before its note is made is taken away too; and noted as this
    version only after, so that one that was never made is made by the next pass.
    """
    tenant = request.batch.tenant
    document = document_id(tenant, request.file.name)
    _require_standing(request, source, services)
    file = _labelled(request.file, source, services)
    services.syncs.intend(tenant, document, source)
    services.imports.await_event(tenant, document, task_token=request.task_token)
    services.synced_objects.place(tenant, file)
    services.syncs.bring(tenant, document, source)


def _require_standing(request: PlaceDocumentInput, source: SyncedObject, services: Services) -> None:
    """Raise where the sync is gone or another, and where the name is somebody else's."""
    tenant, file = request.batch.tenant, request.file
    sync = standing(tenant, source.sync_id, services)
    if sync is None or sync.removal:
        raise DocumentRefusedError("sync_removed", "the sync was removed meanwhile")
    if marks_of_path(sync, source.key) != file.metadata:
        raise DocumentRefusedError("sync_changed", "the sync has other settings meanwhile: the next pass places it")
    owner = services.synced_objects.owner(tenant, file.name)
    if owner not in (None, source.sync_id) and not _was_kept(tenant, owner, services):
        raise DocumentRefusedError("taken", f"somebody uploaded another document as {file.name}: delete that one first")


def _was_kept(tenant: Tenant, owner: str, services: Services) -> bool:
    """Say whether the document was left by a sync that is gone, so that another may take it over."""
    return tenant_of(owner) == tenant and standing(tenant, owner, services) is None


def _labelled(file: ImportedFile, source: SyncedObject, services: Services) -> ImportedFile:
    found = services.synced_objects.describe(source)
    metadata = {**marks_of_object(found.tags), **file.metadata}
    try:
        labels_of(metadata)
    except InvalidFieldError as error:
        raise DocumentRefusedError("bad_metadata", f"{error}: correct the object's tags") from error
    return replace(file, content_type=found.content_type, metadata=metadata)
