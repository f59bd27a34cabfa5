"""Keys and tiers in memory."""

from plinth.contracts.access import KeyRecord, Standing, Tier
from plinth.contracts.tenant import Tenant
from plinth.errors import UnauthenticatedError


class FakeTenants:
    """`Tenants` and `TenantList`: a test fills `keys` and `tiers`."""

    def __init__(self) -> None:
        self.keys: dict[str, KeyRecord] = {}
        self.tiers: dict[Tenant, Tier] = {}
        self.erasing: set[Tenant] = set()
        self.erasing_users: dict[Tenant, list[str]] = {}

    def key(self, key_id: str) -> KeyRecord | None:
        return self.keys.get(key_id)

    def standing(self, tenant: Tenant) -> Standing:
        if tenant not in self.tiers or tenant in self.erasing:
            raise UnauthenticatedError("the tenant of this key was removed")
        return Standing(tier=self.tiers[tenant], erasing_users=tuple(self.erasing_users.get(tenant, ())))

    def all(self) -> list[Tenant]:
        return list(self.tiers)
