"""The sample tenants: whoever tries Plinth may use everything, and the free tier nothing dear."""

from pathlib import Path

from client.tenants_file import TierEntry, read_tenants
from plinth.access.entitlement import allowed_names
from plinth.chain.catalogue import catalogue, names
from plinth.contracts.access import Tier
from plinth.money.prices import price_of

CONTENT = read_tenants(Path(__file__).parents[3] / "samples" / "tenants.toml")


def tier(name: str) -> Tier:
    entry: TierEntry = CONTENT.tiers[name]
    return Tier(
        name=name,
        models=entry.models,
        max_output_tokens=entry.max_output_tokens,
        cache=entry.cache,
    )


def test_the_demo_tenant_may_use_every_model_and_route() -> None:
    demo = CONTENT.tenants["demo"]

    assert allowed_names(tier(demo.tier), catalogue()) == names()


def test_the_free_tier_has_cheap_models_only_and_wakes_no_gpu() -> None:
    free = tier("free")

    assert max(price_of(model).output for model in free.models) <= 1_000_000
    assert "plinth-gpu" not in free.models


def test_every_model_of_a_tier_is_in_the_catalogue_and_open_to_it() -> None:
    for name in CONTENT.tiers:
        assert set(tier(name).models) <= set(allowed_names(tier(name), catalogue()))
