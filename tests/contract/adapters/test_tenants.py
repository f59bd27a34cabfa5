"""The contract of `Tenants`, held by the fake and by DynamoDB with the rows that its module states."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from plinth.adapters.dynamo_tenants import DynamoTenants
from plinth.adapters.dynamodb_items import Value
from plinth.adapters.dynamodb_table import Put, Table
from plinth.contracts.access import KeyRecord, Tier
from plinth.contracts.tenant import Tenant
from plinth.errors import UnauthenticatedError
from plinth.ports.access import TenantList, Tenants
from tests.fakes.tenants import FakeTenants

TIER = Tier(name="pro", requests_per_minute=60, burst=10, models=("small", "large"), max_output_tokens=400)


@dataclass
class Registry:
    """The port, and how this store is filled."""

    tenants: Tenants
    list: TenantList
    add_key: Callable[[str, KeyRecord], None]
    add_tenant: Callable[[Tenant, Tier], None]


@pytest.fixture(params=["fake", "dynamodb"])
def registry(request: pytest.FixtureRequest) -> Registry:
    if request.param == "fake":
        fake = FakeTenants()
        return Registry(fake, fake, fake.keys.__setitem__, fake.tiers.__setitem__)
    table: Table = request.getfixturevalue("table")

    def add_key(key_id: str, key: KeyRecord) -> None:
        item = {
            "tenant": key.tenant.id,
            "user": key.user,
            "secret_sha256": key.secret_sha256,
            "scopes": key.scopes,
            "expires_at": key.expires_at,
            "labels": key.labels,
        }
        table.write(Put(key=(f"KEY#{key_id}", "KEY"), item=item))

    def add_tenant(tenant: Tenant, tier: Tier) -> None:
        row: dict[str, Value] = {
            "name": tier.name,
            "requests_per_minute": tier.requests_per_minute,
            "burst": tier.burst,
            "models": tier.models,
            "max_output_tokens": tier.max_output_tokens,
        }
        table.write(Put(key=(f"TENANT#{tenant.id}", "TENANT"), item={"tier": row}))

    tenants = DynamoTenants(table=table)
    return Registry(tenants, tenants, add_key, add_tenant)


@pytest.mark.parametrize("expires_at", [None, 1_900_000_000.5])
def test_a_key_is_found_by_its_id(registry: Registry, tenant: Tenant, expires_at: float | None) -> None:
    key = KeyRecord(
        tenant=tenant,
        user="ada",
        secret_sha256="0" * 64,
        scopes=("runs", "docs"),
        expires_at=expires_at,
        labels=("board",),
    )
    registry.add_key(tenant.id, key)

    assert registry.tenants.key(tenant.id) == key


def test_an_unknown_key_is_none(registry: Registry, tenant: Tenant) -> None:
    assert registry.tenants.key(tenant.id) is None


def test_a_tenant_has_its_tier(registry: Registry, tenant: Tenant) -> None:
    registry.add_tenant(tenant, TIER)

    assert registry.tenants.standing(tenant).tier == TIER


def test_a_removed_tenant_is_unauthenticated(registry: Registry, tenant: Tenant) -> None:
    with pytest.raises(UnauthenticatedError):
        registry.tenants.standing(tenant)


def test_every_tenant_is_listed_and_no_key(registry: Registry, tenant: Tenant, other_tenant: Tenant) -> None:
    registry.add_tenant(tenant, TIER)
    registry.add_tenant(other_tenant, TIER)
    registry.add_key(
        tenant.id, KeyRecord(tenant=tenant, user="ada", secret_sha256="0" * 64, scopes=(), expires_at=None)
    )

    listed = list(registry.list.all())

    assert {tenant, other_tenant} <= set(listed)
    assert len(set(listed)) == len(listed)
