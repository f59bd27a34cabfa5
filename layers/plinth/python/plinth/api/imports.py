"""The routes of batch imports: announce files, upload those that are missing, start, and see how far it is."""

import re
from dataclasses import dataclass, fields
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel, ConfigDict, Field

from plinth.access.authentication import Caller, Scope
from plinth.api.contexts import (
    ContextAsk,
    ContextModel,
    MaxContextCost,
    added_up,
    order_contexts,
    require_within,
)
from plinth.api.documents import ContentType, require_usable_name
from plinth.api.exchange import CurrentExchange
from plinth.api.responses import accepted, created
from plinth.contracts.context_orders import ContextEstimate
from plinth.contracts.importing import Batch, ImportedFile, ImportRecord, ImportState
from plinth.contracts.memory import Upload
from plinth.errors import InvalidFieldError, NotFoundError
from plinth.memory.importing import changed, import_id
from plinth.memory.naming import document_id
from plinth.memory.tagging import labels_of_upload, with_order
from plinth.wiring.stores import MAX_DOCUMENT_BYTES

MOST_FILES = 2_000
_IMPORT_ID = re.compile(r"imp_[0-9a-f]{24}")


class FileToImport(BaseModel):
    """A file under the name that its document gets."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=512)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="Of its bytes, in hexadecimal.")]
    size_bytes: Annotated[int, Field(ge=1, le=MAX_DOCUMENT_BYTES)]
    content_type: ContentType


class ImportCreation(BaseModel):
    """Files to import. The same files under the same names and metadata are the same import."""

    model_config = ConfigDict(extra="forbid", strict=True)

    files: Annotated[list[FileToImport], Field(min_length=1, max_length=MOST_FILES)]
    metadata: Annotated[dict[str, str], Field(description="What every one of the documents is marked with.")] = {}
    tolerated_failure_percentage: Annotated[
        int, Field(ge=0, le=100, description="The import stops where more of its files fail.")
    ] = 100
    context_model: ContextModel = None
    max_context_cost_micro_usd: MaxContextCost = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedImport(ImportRecord):
    """An import as it stands; `contexts` is what those that were asked for will cost, unchanged documents left out."""

    contexts: ContextEstimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFile:
    """A file whose bytes are not there yet, by its hash, and the one request that uploads them."""

    sha256: str
    upload: Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFiles:
    """The next files to upload; when there is none, the import can start."""

    files: list[MissingFile]


def add_routes(resolver: APIGatewayRestResolver) -> None:
    """Add the routes of imports."""
    one, tags = "/v1/imports/<import_name>", ["imports"]
    resolver.post("/v1/imports", status_code=201, summary="Announce files", tags=tags, operation_id="create_import")(
        create_import
    )
    resolver.get(f"{one}/uploads", summary="List missing files", tags=tags, operation_id="list_import_uploads")(
        list_import_uploads
    )
    resolver.post(f"{one}/start", status_code=202, summary="Start", tags=tags, operation_id="start_import")(
        start_import
    )
    resolver.get(one, summary="Read how far an import is", tags=tags, operation_id="get_import")(get_import)


def create_import(creation: ImportCreation, exchange: CurrentExchange) -> Response[AnnouncedImport]:
    """Take note of the files; those that are searchable as they are count as unchanged and are left out.

    An import that runs already is returned as it stands.
    """
    services, tenant = exchange.services, exchange.caller.tenant
    labels_of_upload(creation.metadata)
    asked = ContextAsk(model=creation.context_model, max_cost_micro_usd=creation.max_context_cost_micro_usd)
    ordered = order_contexts(asked, creation.files, exchange.caller)
    pairs = zip(creation.files, ordered, strict=True)
    files = [_file(each, with_order(creation.metadata, contexts.order)) for each, contexts in pairs]
    _require_usable_names(files, exchange.caller)
    documents = services.documents.many(tenant, [document_id(tenant, file.name) for file in files])
    left = changed(files, {document.name: document for document in documents})
    names = {each.name for each in left}
    told = added_up(contexts for file, contexts in zip(files, ordered, strict=True) if file.name in names)
    require_within(asked, told)
    record = ImportRecord(
        import_id=import_id(tenant, files),
        state=ImportState.UPLOADING,
        files=len(files),
        unchanged=len(files) - len(left),
        created_at=services.clock.now(),
        tolerated_failure_percentage=creation.tolerated_failure_percentage,
    )
    current = services.imports.prepare(tenant, record)
    if current.state is not ImportState.RUNNING:
        services.staged_files.put_manifest(tenant, record.import_id, left)
    body = AnnouncedImport(**{each.name: getattr(current, each.name) for each in fields(current)}, contexts=told)
    return created(body, at=f"/v1/imports/{record.import_id}")


def list_import_uploads(
    import_name: str, exchange: CurrentExchange, limit: Annotated[int, Query(ge=1, le=500)] = 200
) -> MissingFiles:
    """Return where the next missing files go; upload them and ask again until there is none."""
    exchange.caller.require(Scope.DOCUMENTS_WRITE)
    _require_id(import_name)
    tenant, staged = exchange.caller.tenant, exchange.services.staged_files
    missing = staged.missing(tenant, staged.manifest(tenant, import_name))[:limit]
    return MissingFiles(files=[MissingFile(sha256=each.sha256, upload=staged.upload(tenant, each)) for each in missing])


def start_import(import_name: str, exchange: CurrentExchange) -> Response[ImportRecord]:
    """Begin, or begin again what has ended: files that are searchable by then are passed over, failed ones retried.

    Asked again while it runs, it starts a machine that could not be started before.
    """
    _require_id(import_name)
    services, tenant = exchange.services, exchange.caller.tenant
    services.imports.begin(tenant, import_name)
    record = services.imports.get(tenant, import_name)
    if record.state is ImportState.RUNNING:
        services.machines.start_import(
            Batch(tenant=tenant, import_id=import_name, attempt=record.attempt),
            manifest=services.staged_files.manifest_key(tenant, import_name),
            tolerated=record.tolerated_failure_percentage,
        )
    return accepted(record)


def get_import(import_name: str, exchange: CurrentExchange) -> ImportRecord:
    """Return how many files are ready and how many failed, and why."""
    _require_id(import_name)
    return exchange.services.imports.get(exchange.caller.tenant, import_name)


def _require_id(import_name: str) -> None:
    """Raise `NotFoundError` for what no import is called."""
    if not _IMPORT_ID.fullmatch(import_name):
        raise NotFoundError(f"no import {import_name[:40]}")


def _file(file: FileToImport, metadata: dict[str, str]) -> ImportedFile:
    return ImportedFile(
        name=file.name,
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        content_type=file.content_type,
        metadata=metadata,
    )


def _require_usable_names(files: list[ImportedFile], caller: Caller) -> None:
    met: set[str] = set()
    for place, file in enumerate(files):
        require_usable_name(file.name, caller, field=f"files.{place}.name")
        if file.name in met:
            raise InvalidFieldError(f"files.{place}.name", f"{file.name[:80]} is there twice: name each file once")
        met.add(file.name)
