"""Who a key belongs to and what a tenant may use, read as it is now: a revoked key is refused by the next request.

Rows: KEY#<key id> / KEY {tenant, user, secret_sha256, scopes, expires_at?, labels?};
TENANT#<id> / TENANT {tier: {...}}, with `erasing` and `erasing_users` while an erasure runs.
"""

from collections.abc import Iterator

import msgspec

from plinth.adapters.dynamodb_items import row
from plinth.adapters.dynamodb_table import Table
from plinth.contracts.access import KeyRecord, Standing, Tier
from plinth.contracts.tenant import Tenant
from plinth.errors import UnauthenticatedError


class _KeyRow(msgspec.Struct):
    tenant: str
    user: str
    secret_sha256: str
    scopes: tuple[str, ...]
    expires_at: float | None = None
    labels: tuple[str, ...] = ()


class _TenantRow(msgspec.Struct):
    tier: Tier
    erasing: str = ""
    erasing_users: tuple[str, ...] = ()


class DynamoTenants:
    """`Tenants` and `TenantList` in one table."""

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def key(self, key_id: str) -> KeyRecord | None:
        """Return the key; whether it has expired is for the caller to judge."""
        found = self._table.get((f"KEY#{key_id}", "KEY"))
        if found is None:
            return None
        stored = row(found, _KeyRow)
        return KeyRecord(
            tenant=Tenant(id=stored.tenant),
            user=stored.user,
            secret_sha256=stored.secret_sha256,
            scopes=stored.scopes,
            expires_at=stored.expires_at,
            labels=stored.labels,
        )

    def standing(self, tenant: Tenant) -> Standing:
        """Return the tier as the tenant's row spells it out, and who is being erased."""
        found = self._table.get((f"TENANT#{tenant.id}", "TENANT"))
        stored = row(found, _TenantRow) if found else None
        if stored is None or stored.erasing:
            raise UnauthenticatedError("the tenant of this key was removed: ask for a new key")
        return Standing(tier=stored.tier, erasing_users=stored.erasing_users)

    def all(self) -> Iterator[Tenant]:
        """Yield every tenant; reads the whole table."""
        for item in self._table.scan(sk="TENANT"):
            yield Tenant(id=str(item["pk"]).removeprefix("TENANT#"))
