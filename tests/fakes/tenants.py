"""Keys and tiers in memory."""

from plinth.contracts.access import KeyRecord, Tier
from plinth.contracts.tenant import Tenant
from plinth.errors import UnauthenticatedError


class FakeTenants:
    """`Tenants` and `TenantList`: a test fills `keys` and `tiers`."""

    def __init__(self) -> None:
        self.keys: dict[str, KeyRecord] = {}
        self.tiers: dict[Tenant, Tier] = {}

    def key(self, key_id: str) -> KeyRecord | None:
        return self.keys.get(key_id)

    def tier(self, tenant: Tenant) -> Tier:
        if tenant not in self.tiers:
            raise UnauthenticatedError("the tenant of this key was removed")
        return self.tiers[tenant]

    def all(self) -> list[Tenant]:
        return list(self.tiers)
