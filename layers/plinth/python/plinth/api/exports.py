"""The routes of exports: have a tenant's or a user's data collected, and get its files."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel, ConfigDict, Field

from plinth.access.authentication import Scope
from plinth.api.exchange import CurrentExchange, Exchange
from plinth.api.responses import accepted
from plinth.contracts.exporting import Export, ExportState, Subject
from plinth.contracts.tenant import Tenant
from plinth.errors import InvalidFieldError, NotFoundError, UnauthenticatedError
from plinth.memory.exports import as_it_stands
from plinth.runtime.exports import begin_export, require_no_erasure

_EXPORT_ID = re.compile(r"exp_[0-9a-f]{32}")
_OfTenant = Annotated[str | None, Query(description="Another tenant's, for operators.", max_length=32)]


class ExportCreation(BaseModel):
    """Whose data: your tenant's, or that of one user of it. Another tenant's needs the scope `admin`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    user: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    tenant: Annotated[str | None, Field(min_length=1, max_length=32)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportView:
    """An export as it stands, times in Unix seconds. `records` counts lines by folder, `files` all files."""

    id: str
    tenant: str
    user: str | None
    state: ExportState
    began_at: float
    ended_at: float | None
    expires_at: int
    files: int
    records: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedFile:
    """A file of an export, and where it can be got for 5 minutes without a key."""

    path: str
    size_bytes: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFilePage:
    """Files by path; `next` is what to pass as `after` for more, or null. `manifest.json` lists them all."""

    files: list[LinkedFile]
    next: str | None


def add_routes(resolver: APIGatewayRestResolver) -> None:
    """Add the routes of exports."""
    one, tags = "/v1/exports/<export>", ["exports"]
    resolver.post("/v1/exports", status_code=202, summary="Export data", tags=tags, operation_id="create_export")(
        create_export
    )
    resolver.get(one, summary="Read how far an export is", tags=tags, operation_id="get_export")(get_export)
    resolver.get(f"{one}/files", summary="List its files", tags=tags, operation_id="list_export_files")(
        list_export_files
    )


def create_export(creation: ExportCreation, exchange: CurrentExchange) -> Response[ExportView]:
    """Begin to collect; an export of the same data that runs already is returned as it stands."""
    subject = Subject(tenant=_tenant(creation.tenant, exchange), user=creation.user)
    try:
        export = begin_export(subject, exchange.services)
    except UnauthenticatedError as error:
        raise NotFoundError(f"no tenant {subject.tenant.id}") from error
    return accepted(_view(export), at=f"/v1/exports/{export.id}")


def get_export(export: str, exchange: CurrentExchange, tenant: _OfTenant = None) -> ExportView:
    """Return how far an export has come."""
    return _view(_found(export, tenant, exchange))


def list_export_files(
    export: str,
    exchange: CurrentExchange,
    tenant: _OfTenant = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    after: Annotated[str, Query(description="The `next` of the page before.", max_length=1024)] = "",
) -> ExportFilePage:
    """Return links to the files of an export that is done; none while a user is being erased."""
    found = _found(export, tenant, exchange)
    require_no_erasure(found.subject, exchange.services)
    if found.state is not ExportState.DONE:
        raise InvalidFieldError("export", f"is {found.state}: its files can be read when it is done")
    files = exchange.services.exporting.files
    page = files.page(found, after=after, limit=limit + 1)
    linked = [LinkedFile(path=path, size_bytes=size, url=files.link(found, path)) for path, size in page[:limit]]
    return ExportFilePage(files=linked, next=linked[-1].path if len(page) > limit else None)


def _tenant(named: str | None, exchange: Exchange) -> Tenant:
    caller = exchange.caller
    if named is None or named == caller.tenant.id:
        return caller.tenant
    caller.require(Scope.ADMIN)
    try:
        return Tenant(id=named)
    except ValueError as error:
        raise NotFoundError(f"no tenant {named}") from error


def _found(export: str, tenant: str | None, exchange: Exchange) -> Export:
    if not _EXPORT_ID.fullmatch(export):
        raise NotFoundError(f"no export {export}")
    services = exchange.services
    return as_it_stands(services.exporting.jobs.get(_tenant(tenant, exchange), export), now=services.clock.now())


def _view(export: Export) -> ExportView:
    return ExportView(
        id=export.id,
        tenant=export.subject.tenant.id,
        user=export.subject.user,
        state=export.state,
        began_at=export.began_at,
        ended_at=export.ended_at,
        expires_at=export.expires_at,
        files=export.files,
        records=export.records,
    )
