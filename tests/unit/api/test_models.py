"""Models and routes: each caller sees what its tier may use, with limits and prices, and nothing else."""

from dataclasses import replace

import pytest

from plinth.money.prices import price_of
from tests.unit.access.world import ALICE, BOB, TIER, World
from tests.unit.api.client import Client

BASIC = ["plinth-local", "claude-haiku-5-5", "fast", "self-hosted-first"]


@pytest.fixture
def pro(world: World) -> Client:
    """Call as a tenant of a tier that may use dear models."""
    models = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-4-5")
    world.tenants.tiers[ALICE] = replace(TIER, name="pro", models=models)
    return Client(world, world.issue(ALICE))


def test_the_list_is_of_openais_form_and_holds_what_the_tier_may_use(client: Client) -> None:
    answer = client.call("GET", "/v1/models")

    assert (answer.status, answer.json["object"]) == (200, "list")
    assert [each["id"] for each in answer.json["data"]] == BASIC
    for each in answer.json["data"]:
        assert each["object"] == "model"
        assert each["created"] >= 1_790_000_000
        assert each["owned_by"]


def test_another_tier_sees_other_models(pro: Client) -> None:
    listed = [each["id"] for each in pro.call("GET", "/v1/models").json["data"]]

    assert listed == ["claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-4-5", "fast", "best"]


def test_a_model_shows_its_limits_capabilities_and_its_price_with_source_and_date(client: Client) -> None:
    model = client.call("GET", "/v1/models/claude-haiku-5-5").json

    assert (model["kind"], model["owned_by"], model["models"]) == ("model", "anthropic", [])
    assert (model["context_window"], model["max_output_tokens"]) == (1_000_000, 128_000)
    assert "tools" in model["capabilities"]
    price = model["price"]
    assert (price["input"], price["output"], price["cache_read"]) == (100_000, 500_000, 10_000)
    assert price["long_prompt"]["above_input_tokens"] == 100_000
    assert (price["source"], price["as_of"]) == (price_of("claude-haiku-5-5").source, "2026-11-01")


def test_a_route_shows_only_those_of_its_models_that_the_tier_may_use_and_no_price(client: Client) -> None:
    route = client.call("GET", "/v1/models/fast").json

    assert (route["kind"], route["owned_by"], route["price"]) == ("route", "plinth", None)
    assert route["models"] == ["claude-haiku-5-5"]


def test_a_tier_that_sums_conversations_up_says_what_that_costs_at_most(world: World) -> None:
    world.tenants.tiers[ALICE] = replace(TIER, summary_model="claude-haiku-5-5")
    client = Client(world, world.issue(ALICE))

    told = {each["id"]: each["summary_micro_usd"] for each in client.call("GET", "/v1/models").json["data"]}

    assert told == {"plinth-local": 1199, "claude-haiku-5-5": 1366, "fast": 1366, "self-hosted-first": 1366}
    assert Client(world, world.issue(BOB)).call("GET", "/v1/models/fast").json["summary_micro_usd"] is None


def test_a_route_has_the_limits_and_capabilities_that_each_of_its_models_has(world: World) -> None:
    world.tenants.tiers[ALICE] = replace(TIER, models=("claude-haiku-5-5", "claude-haiku-4-5"))

    route = Client(world, world.issue(ALICE)).call("GET", "/v1/models/fast").json

    assert (route["context_window"], route["max_output_tokens"]) == (200_000, 64_000)
    assert route["capabilities"] == ["tools", "structured_output", "prompt_cache"]


@pytest.mark.parametrize("name", ["claude-opus-5-5", "best", "gpt-0"])
def test_a_model_or_route_that_the_tier_lacks_is_as_absent_as_an_unknown_one(client: Client, name: str) -> None:
    answer = client.call("GET", f"/v1/models/{name}")

    assert (answer.status, answer.code) == (404, "not_found")
    assert answer.json["detail"] == f"tier basic has no model {name}: GET /v1/models lists those it has"


def test_a_key_of_any_scope_may_read_what_it_may_name(world: World) -> None:
    answer = Client(world, world.issue(scopes=("runs:write",))).call("GET", "/v1/models")

    assert answer.status == 200


def test_every_name_of_the_list_is_taken_in_a_run_and_no_other(client: Client, world: World) -> None:
    for name in BASIC:
        run_id = client.ask(model=name, headers={"Idempotency-Key": name}).json.get("id")
        world.clock.advance(60)
        assert world.runs.get(ALICE, run_id).request.model == name

    assert client.ask(model="best").status == 400
