"""The routes of syncs, for operators alone: which bucket becomes whose documents is theirs to decide."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel, ConfigDict, Field

from plinth.api.exchange import CurrentExchange, Exchange
from plinth.api.responses import accepted, created
from plinth.contracts.importing import ImportFailure, ImportRecord, ImportState
from plinth.contracts.syncs import Permission, Removal, Sync
from plinth.contracts.tenant import Tenant
from plinth.errors import InvalidFieldError, NotFoundError, SyncConflictError, UnauthenticatedError
from plinth.memory.prefix_sync import import_of, overlap, require_usable, sync_id, tenant_of
from plinth.wiring import Services

_A_WEEK = 604_800
_Tenant = Annotated[str, Query(description="Whose syncs.", max_length=32)]
_Documents = Annotated[Removal, Query(description="What becomes of the documents that it brought.")]


class SyncCreation(BaseModel):
    """What to sync. The same tenant, bucket and prefix are the same sync: its settings are replaced."""

    model_config = ConfigDict(extra="forbid", strict=True)

    tenant: Annotated[str, Field(min_length=1, max_length=32)]
    bucket: Annotated[str, Field(min_length=3, max_length=63)]
    prefix: Annotated[str, Field(max_length=512, description="A folder, such as handbook/; empty for the whole.")] = ""
    every_seconds: Annotated[int, Field(ge=300, le=_A_WEEK, description="No oftener than the schedule looks.")] = 3600
    pattern: Annotated[str, Field(max_length=512, description="Names for folders: {department}/{year}/.")] = ""
    metadata: Annotated[dict[str, str], Field(description="Marks every document; `access` says who may read.")] = {}


class PassRequest(BaseModel):
    """A pass that may, within ten minutes, make the deletions that the last one held back, or one that asks first."""

    model_config = ConfigDict(extra="forbid", strict=True)

    allow_deletes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PassView:
    """How the last pass went, times in Unix seconds: see `LastPass`. `ready` and `failed` count what was placed.

    `refused` are the first objects that are no documents, and why: this pass's, and those that were refused before.
    """

    at: float
    seen: int
    added: int
    changed: int
    removed: int
    held_back: int
    problem: str
    ready: int
    failed: int
    refused: list[ImportFailure]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncView:
    """A sync as it stands. While it is `running`, its import tells how far it is."""

    id: str
    tenant: str
    bucket: str
    prefix: str
    pattern: str
    metadata: Mapping[str, str]
    every_seconds: int
    next_at: float
    state: Literal["waiting", "running", "removing"]
    import_id: str
    last: PassView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncList:
    """A tenant's syncs."""

    syncs: list[SyncView]


def add_routes(resolver: APIGatewayRestResolver) -> None:
    """Add the routes of syncs."""
    all_of_them, one, tags = "/v1/syncs", "/v1/syncs/<sync>", ["syncs"]
    resolver.post(all_of_them, status_code=201, summary="Sync a bucket", tags=tags, operation_id="create_sync")(
        create_sync
    )
    resolver.get(all_of_them, summary="List syncs", tags=tags, operation_id="list_syncs")(list_syncs)
    resolver.get(one, summary="Read how a sync stands", tags=tags, operation_id="get_sync")(get_sync)
    resolver.post(f"{one}/now", status_code=202, summary="Make a pass now", tags=tags, operation_id="sync_now")(
        sync_now
    )
    resolver.delete(one, status_code=202, summary="Remove a sync", tags=tags, operation_id="delete_sync")(delete_sync)


def create_sync(creation: SyncCreation, exchange: CurrentExchange) -> Response[SyncView]:
    """Let objects below a prefix of a bucket be documents of a tenant, from now on, and begin the first pass."""
    services, tenant = exchange.services, _tenant(creation.tenant, exchange)
    if creation.bucket not in services.settings.sync_buckets:
        told = "is not among sync_buckets of this environment: add its ARN in cdk.json, deploy, and see to its policy"
        raise InvalidFieldError("bucket", told)
    if creation.bucket == services.settings.documents_bucket:
        raise InvalidFieldError("bucket", "is where documents lie: name another, its copies would be copied again")
    sync = Sync(
        id=sync_id(tenant, creation.bucket, creation.prefix),
        tenant=tenant,
        bucket=creation.bucket,
        prefix=creation.prefix,
        every_seconds=creation.every_seconds,
        due_at=services.clock.now(),
        pattern=creation.pattern,
        metadata=creation.metadata,
    )
    require_usable(sync)
    if other := next((each for each in services.syncs.of(tenant) if overlap(sync, each)), None):
        raise InvalidFieldError("prefix", f"overlaps with sync {other.id} of {other.prefix!r}: remove that one first")
    saved = services.syncs.save(sync)
    services.passes.begin(sync.id)
    return created(_view(saved, services), at=f"/v1/syncs/{sync.id}")


def list_syncs(exchange: CurrentExchange, tenant: _Tenant) -> SyncList:
    """Return a tenant's syncs with their last passes."""
    services = exchange.services
    return SyncList(syncs=[_view(each, services) for each in services.syncs.of(_tenant(tenant, exchange))])


def get_sync(sync: str, exchange: CurrentExchange) -> SyncView:
    """Return a sync with its last pass."""
    return _view(_found(sync, exchange), exchange.services)


def sync_now(sync: str, asked: PassRequest, exchange: CurrentExchange) -> Response[SyncView]:
    """Begin a pass without waiting for its time."""
    found = _view(_found(sync, exchange), exchange.services)
    if found.state == "running":
        raise SyncConflictError(f"a pass of {sync} is running: ask again when it has ended")
    seen = found.last.held_back if found.last else 0
    permission = Permission(asked_at=exchange.services.clock.now(), deletions=seen) if asked.allow_deletes else None
    exchange.services.passes.begin(found.id, permission=permission)
    return accepted(found)


def delete_sync(sync: str, exchange: CurrentExchange, documents: _Documents) -> Response[SyncView]:
    """Place nothing any more, and let the documents be or delete them; the sync is gone when that is done."""
    services, found = exchange.services, _found(sync, exchange)
    services.syncs.remove(found, documents)
    services.passes.begin(found.id)
    return accepted(_view(_found(sync, exchange), services))


def _tenant(named: str, exchange: Exchange) -> Tenant:
    try:
        tenant = Tenant(id=named)
        exchange.services.tenants.standing(tenant)
    except (ValueError, UnauthenticatedError) as error:
        raise NotFoundError(f"no tenant {named}") from error
    return tenant


def _found(sync: str, exchange: Exchange) -> Sync:
    tenant = tenant_of(sync)
    if tenant is None:
        raise NotFoundError(f"no sync {sync}: `GET /v1/syncs?tenant=...` lists them")
    return exchange.services.syncs.get(tenant, sync)


def _view(sync: Sync, services: Services) -> SyncView:
    placing = _import(sync, services)
    running = placing is not None and placing.state is ImportState.RUNNING
    return SyncView(
        id=sync.id,
        tenant=sync.tenant.id,
        bucket=sync.bucket,
        prefix=sync.prefix,
        pattern=sync.pattern,
        metadata=sync.metadata,
        every_seconds=sync.every_seconds,
        next_at=sync.due_at,
        state="removing" if sync.removal else "running" if running else "waiting",
        import_id=import_of(sync.id),
        last=_pass(sync, placing, services),
    )


def _pass(sync: Sync, placing: ImportRecord | None, services: Services) -> PassView | None:
    last = sync.last
    if last is None:
        return None
    before = services.documents.many(sync.tenant, last.unreadable)
    known = [
        ImportFailure(name=each.name, reason=each.reason or "", message=each.message or "")
        for each in before
        if each.reason
    ]
    return PassView(
        at=last.at,
        seen=last.seen,
        added=last.added,
        changed=last.changed,
        removed=last.removed,
        held_back=last.held_back,
        problem=last.problem,
        ready=placing.ready if placing else 0,
        failed=placing.failed if placing else 0,
        refused=[*last.refused, *(placing.failures if placing else ()), *known],
    )


def _import(sync: Sync, services: Services) -> ImportRecord | None:
    try:
        return services.imports.get(sync.tenant, import_of(sync.id))
    except NotFoundError:
        return None
