"""The routes of erasures: have a user or a tenant forgotten everywhere, and read the receipt of what went."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from plinth.access.authentication import Scope
from plinth.api.exchange import CurrentExchange
from plinth.api.responses import accepted
from plinth.contracts.erasing import Erasure, ErasureState, Extent, SignedReceipt, Target
from plinth.contracts.tenant import Tenant
from plinth.errors import InvalidFieldError, NotFoundError
from plinth.runtime.erasures import begin_erasure, require_own

_ERASURE_ID = re.compile(r"era_[0-9a-f]{32}")
_FOLLOW = {Extent.DOCUMENT: Scope.DOCUMENTS_WRITE, Extent.USER: Scope.ERASE, Extent.TENANT: Scope.ADMIN}
"""Who may begin an erasure may follow it; the scope `erase` follows each of its tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureView:
    """An erasure as it stands, times in Unix seconds. `removed` counts by store; a done one has its `receipt`."""

    id: str
    extent: Extent
    state: ErasureState
    began_at: float
    ended_at: float | None
    passes: int
    removed: Mapping[str, int]
    receipt: SignedReceipt | None


def add_routes(resolver: APIGatewayRestResolver) -> None:
    """Add the routes of erasures."""
    tags = ["erasures"]
    resolver.delete("/v1/users/<user>", status_code=202, summary="Erase a user", tags=tags, operation_id="delete_user")(
        delete_user
    )
    resolver.delete(
        "/v1/tenants/<tenant>", status_code=202, summary="Erase a tenant", tags=tags, operation_id="delete_tenant"
    )(delete_tenant)
    resolver.get(
        "/v1/erasures/<erasure>", summary="Read an erasure and its receipt", tags=tags, operation_id="get_erasure"
    )(get_erasure)


def delete_user(user: str, exchange: CurrentExchange) -> Response[ErasureView]:
    """Refuse a user's keys and hide their runs at once, and erase what belongs to them from every store."""
    caller, name = exchange.caller, unquote(user)
    if name == caller.user:
        raise InvalidFieldError("user", "this key is theirs and would be refused at once: use another user's key")
    target = Target(extent=Extent.USER, tenant=caller.tenant, name=name)
    return _begun(begin_erasure(target, exchange.services))


def delete_tenant(tenant: str, exchange: CurrentExchange) -> Response[ErasureView]:
    """Refuse a tenant's keys at once, and erase everything of it, documents included, from every store."""
    try:
        named = Tenant(id=tenant)
    except ValueError as error:
        raise NotFoundError(f"no tenant {tenant}") from error
    if named == exchange.caller.tenant:
        raise InvalidFieldError("tenant", "this key is theirs and would be refused at once: use another tenant's key")
    return _begun(begin_erasure(Target(extent=Extent.TENANT, tenant=named, name=named.id), exchange.services))


def get_erasure(erasure: str, exchange: CurrentExchange) -> ErasureView:
    """Return how far an erasure has come, and its signed receipt once it is done."""
    caller = exchange.caller
    if caller.scopes.isdisjoint(_FOLLOW.values()):
        caller.require(Scope.ERASE)
    if not _ERASURE_ID.fullmatch(erasure):
        raise NotFoundError(f"no erasure {erasure}")
    found = exchange.services.erasing.erasures.get(erasure)
    require_own(found, tenant=caller.tenant.id, admin=Scope.ADMIN in caller.scopes)
    if Scope.ERASE not in caller.scopes:
        caller.require(_FOLLOW[found.target.extent])
    return _view(found)


def _begun(erasure: Erasure) -> Response[ErasureView]:
    return accepted(_view(erasure), at=f"/v1/erasures/{erasure.id}")


def _view(erasure: Erasure) -> ErasureView:
    return ErasureView(
        id=erasure.id,
        extent=erasure.target.extent,
        state=erasure.state,
        began_at=erasure.target.began_at,
        ended_at=erasure.ended_at,
        passes=erasure.passes,
        removed=erasure.removed,
        receipt=erasure.receipt,
    )
