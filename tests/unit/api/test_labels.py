"""Access labels and filters: what a caller may see is what its key and its tier hold, and a run is no way around it."""

from dataclasses import replace

import pytest

from tests.unit.access.world import ALICE, TIER, World
from tests.unit.api.client import Client


def test_a_run_carries_the_labels_of_its_key_and_its_tier_as_they_are_now(world: World) -> None:
    client = Client(world, world.issue(labels=("payroll", "board")))
    world.tenants.tiers[ALICE] = replace(TIER, labels=("staff",))

    request = world.runs.get(ALICE, client.ask().json["id"]).request

    assert request.labels == ("board", "payroll", "staff")


def test_a_filter_is_kept_in_one_order_however_it_was_sent(world: World, client: Client) -> None:
    wanted = {"metadata": {"year": ["2026", "2025", "2026"], "product": "plinth"}}

    request = world.runs.get(ALICE, client.ask(filter=wanted).json["id"]).request

    assert request.metadata == (("product=plinth",), ("year=2025", "year=2026"))


@pytest.mark.guarantee_e
def test_a_run_of_more_labels_than_the_caller_holds_is_as_absent_as_an_unknown_one(world: World) -> None:
    run = world.accepted_run(labels=("board",))
    outsider, insider = Client(world, world.issue()), Client(world, world.issue(labels=("board", "payroll")))
    unknown = f"{run.id[:-1]}9"

    for method, path in (("GET", ""), ("GET", "/trace"), ("POST", "/cancel")):
        hidden = outsider.call(method, f"/v1/runs/{run.id}{path}")
        absent = outsider.call(method, f"/v1/runs/{unknown}{path}")
        assert (hidden.status, hidden.text.replace(run.id, unknown)) == (404, absent.text)
        assert insider.call(method, f"/v1/runs/{run.id}{path}").status in (200, 202)
