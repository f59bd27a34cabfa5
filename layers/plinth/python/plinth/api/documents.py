"""The routes of documents: announce an upload, see what became of each document, have one erased."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel, ConfigDict, Field

from plinth.access.authentication import Caller
from plinth.api.contexts import ContextAsk, ContextModel, MaxContextCost, order_contexts, require_within
from plinth.api.exchange import CurrentExchange, Exchange
from plinth.api.responses import accepted, created
from plinth.contracts.context_orders import ContextEstimate
from plinth.contracts.erasing import Extent, Target
from plinth.contracts.memory import DocumentRecord, DocumentState, Upload, UploadContent
from plinth.errors import InvalidFieldError, NotFoundError, NothingToRedriveError, RequestTooLargeError
from plinth.memory.labels import may_read
from plinth.memory.naming import document_id, name_fault
from plinth.memory.tagging import labels_of_upload, with_order
from plinth.runtime.erasures import begin_erasure
from plinth.wiring.stores import MAX_DOCUMENT_BYTES

DOCUMENT_ID = re.compile(r"doc_[0-9a-f]{24}")
_READ_AT_ONCE = 101


ContentType = Annotated[str, Field(pattern=r"^[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+(; ?[ -~]+)?$", max_length=120)]


class DocumentCreation(BaseModel):
    """A document that is about to be uploaded. The same name is the same document: a new upload replaces it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=512, description="A path of its own, such as guides/café.md.")]
    content_type: ContentType
    size_bytes: Annotated[int, Field(ge=1, description=f"Exact size, at most {MAX_DOCUMENT_BYTES}.")]
    metadata: Annotated[
        dict[str, str],
        Field(description="Up to 16 names with a value each to search by; `access` lists labels of who may read."),
    ] = {}
    context_model: ContextModel = None
    max_context_cost_micro_usd: MaxContextCost = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedDocument:
    """A document that waits for its bytes; `contexts` is what those that were asked for will cost."""

    document: DocumentRecord
    upload: Upload
    contexts: ContextEstimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPage:
    """Documents by id; `next` is what to pass as `after` for more, or null."""

    documents: list[DocumentRecord]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDeletion:
    """A document that no answer uses any more, and that is being erased everywhere: `erasure_id` has the receipt."""

    document: DocumentRecord
    state: DocumentState
    erasure_id: str


def add_routes(resolver: APIGatewayRestResolver) -> None:
    """Add the routes of documents."""
    all_of_them, one, tags = "/v1/documents", "/v1/documents/<document>", ["documents"]
    resolver.post(
        all_of_them, status_code=201, summary="Announce an upload", tags=tags, operation_id="create_document"
    )(create_document)
    resolver.get(all_of_them, summary="List documents", tags=tags, operation_id="list_documents")(list_documents)
    resolver.get(one, summary="Read a document's state", tags=tags, operation_id="get_document")(get_document)
    redrive = resolver.post(
        f"{one}/redrive", status_code=202, summary="Try it again", tags=tags, operation_id="redrive_document"
    )
    redrive(redrive_document)
    resolver.delete(one, status_code=202, summary="Erase a document", tags=tags, operation_id="delete_document")(
        delete_document
    )


def create_document(creation: DocumentCreation, exchange: CurrentExchange) -> Response[AnnouncedDocument]:
    """Return where to PUT the document's bytes; it is ingested as soon as they arrive.

    A document of this name stays as it is, searchable included, until its new version is.
    """
    services, tenant = exchange.services, exchange.caller.tenant
    require_usable_name(creation.name, exchange.caller)
    labels = labels_of_upload(creation.metadata)
    if creation.size_bytes > MAX_DOCUMENT_BYTES:
        raise RequestTooLargeError(f"size_bytes is over the limit of {MAX_DOCUMENT_BYTES}: split the document")
    asked = ContextAsk(model=creation.context_model, max_cost_micro_usd=creation.max_context_cost_micro_usd)
    (ordered,) = order_contexts(asked, [creation], exchange.caller)
    require_within(asked, ordered.estimate)
    metadata = with_order(creation.metadata, ordered.order)
    record = DocumentRecord(
        document_id=document_id(tenant, creation.name),
        name=creation.name,
        state=DocumentState.AWAITING_UPLOAD,
        updated_at=services.clock.now(),
        size_bytes=creation.size_bytes,
        labels=labels,
    )
    services.documents.announce(tenant, record)
    current = services.documents.get(tenant, record.document_id)
    shown = current if may_read(exchange.caller.labels, current.labels) else record
    content = UploadContent(content_type=creation.content_type, size_bytes=creation.size_bytes, metadata=metadata)
    upload = services.sources.upload(tenant, creation.name, content)
    announced = AnnouncedDocument(document=shown, upload=upload, contexts=ordered.estimate)
    return created(announced, at=f"/v1/documents/{record.document_id}")


def list_documents(
    exchange: CurrentExchange,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    after: Annotated[str | None, Query(description="The `next` of the page before.")] = None,
) -> DocumentPage:
    """Return the tenant's documents that the caller's labels let it see, a page at a time."""
    if after is not None and not DOCUMENT_ID.fullmatch(after):
        raise InvalidFieldError("after", "must be the `next` of an earlier page")
    found = list(islice(_seen(exchange, after), limit + 1))
    page = found[:limit]
    return DocumentPage(documents=page, next=page[-1].document_id if len(found) > limit else None)


def get_document(document: str, exchange: CurrentExchange) -> DocumentRecord:
    """Return where a document stands, and why where it was refused."""
    return _seen_one(document, exchange)


def redrive_document(document: str, exchange: CurrentExchange) -> Response[DocumentRecord]:
    """Read a refused document's newest version from the bucket again; its state then says what came of it.

    So is one whose ingestion ended without a word two hours ago. Asking twice starts one try.
    """
    services, tenant = exchange.services, exchange.caller.tenant
    record = _seen_one(document, exchange)
    version = services.documents.redrivable(tenant, document)
    if version is None:
        raise NothingToRedriveError(f"document {document} is {record.state}: only a refused one can be tried again")
    services.machines.start_ingest(version)
    return accepted(record)


def delete_document(document: str, exchange: CurrentExchange) -> Response[DocumentDeletion]:
    """Hide a document from every answer at once, and start its erasure, together with the runs that it went into."""
    services, tenant = exchange.services, exchange.caller.tenant
    record = services.documents.hide(tenant, _seen_one(document, exchange).document_id)
    target = Target(extent=Extent.DOCUMENT, tenant=tenant, name=record.document_id, object_name=record.name)
    erasure = begin_erasure(target, services)
    services.sources.delete(tenant, record.name)
    deletion = DocumentDeletion(document=record, state=DocumentState.DELETING, erasure_id=erasure.id)
    return accepted(deletion, at=f"/v1/erasures/{erasure.id}")


def _seen_one(document: str, exchange: Exchange) -> DocumentRecord:
    """Return the document; one whose labels the caller lacks is as absent as an unknown one."""
    caller = exchange.caller
    if DOCUMENT_ID.fullmatch(document):
        found = exchange.services.documents.get(caller.tenant, document)
        if may_read(caller.labels, found.labels):
            return found
    raise NotFoundError(f"no document {document}")


def _seen(exchange: Exchange, after: str | None) -> Iterator[DocumentRecord]:
    caller = exchange.caller
    while page := exchange.services.documents.list(caller.tenant, limit=_READ_AT_ONCE, after=after):
        yield from (each for each in page if may_read(caller.labels, each.labels))
        after = page[-1].document_id


def require_usable_name(name: str, caller: Caller, *, field: str = "name") -> None:
    """Raise `InvalidFieldError` for a name that could lead elsewhere or be too long for its object."""
    if fault := name_fault(caller.tenant, name):
        raise InvalidFieldError(field, fault)
