"""Who is asking: from the request's headers to a `Caller`. The API and the relay share this one way in."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from plinth.access.keys import ApiKey, parse_key
from plinth.contracts.access import KeyRecord, Tier
from plinth.contracts.tenant import Tenant
from plinth.errors import MissingScopeError, UnauthenticatedError
from plinth.ports.access import Tenants

_NO_SUCH_HASH = "0" * 64
_NOT_IN_FORCE = "the key is unknown, expired or revoked: use one that is in force"


class Scope(StrEnum):
    """What a key may be used for."""

    RUNS_READ = "runs:read"
    RUNS_WRITE = "runs:write"
    DOCUMENTS_READ = "documents:read"
    DOCUMENTS_WRITE = "documents:write"
    USAGE_READ = "usage:read"
    CONTENTS_READ = "contents:read"
    ERASE = "erase"
    EXPORT = "export"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An authenticated key: whose it is, what its tenant may use, what it was made for, which labels it holds."""

    tenant: Tenant
    user: str
    tier: Tier
    scopes: frozenset[str]
    key_id: str = ""
    labels: tuple[str, ...] = ()
    erasing_users: tuple[str, ...] = ()

    def require(self, scope: Scope) -> None:
        """Raise `MissingScopeError` unless the key was made for this."""
        if scope not in self.scopes:
            raise MissingScopeError(f"this key lacks the scope {scope}: use a key that has it")


def authenticate(headers: Mapping[str, str], tenants: Tenants, *, environment: str, now: float) -> Caller:
    """Return who sent these headers (names in lower case), or raise `UnauthenticatedError`.

    Form, checksum and environment are checked before any look-up. An unknown id, a wrong secret and an expired key
    get one and the same answer, in the same time.
    """
    key = _sent_key(headers)
    if key.environment != environment:
        raise UnauthenticatedError(f"this key is for another environment: use one that begins with pl_{environment}_")
    record = tenants.key(key.id)
    matches = hmac.compare_digest(record.secret_sha256 if record else _NO_SUCH_HASH, key.secret_sha256)
    if record is None or not matches or _expired(record, now):
        raise UnauthenticatedError(_NOT_IN_FORCE)
    standing = tenants.standing(record.tenant)
    if record.user in standing.erasing_users:
        raise UnauthenticatedError(_NOT_IN_FORCE)
    return Caller(
        tenant=record.tenant,
        user=record.user,
        tier=standing.tier,
        scopes=frozenset(record.scopes),
        key_id=key.id,
        labels=tuple(sorted({*record.labels, *standing.tier.labels})),
        erasing_users=standing.erasing_users,
    )


def _sent_key(headers: Mapping[str, str]) -> ApiKey:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    text = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()
    if not text:
        raise UnauthenticatedError("no key: send `Authorization: Bearer <key>` or `x-api-key: <key>`")
    key = parse_key(text)
    if key is None:
        raise UnauthenticatedError("the key is malformed: copy it whole, it begins with pl_ and ends in a checksum")
    return key


def _expired(record: KeyRecord, now: float) -> bool:
    return record.expires_at is not None and record.expires_at <= now
