"""The request limit: exactly the burst, an exact time to come back, and headers on every authenticated answer."""

import pytest

from tests.unit.access.world import BOB, TIER, World
from tests.unit.api.client import Client


@pytest.mark.guarantee_c
def test_exactly_the_burst_is_admitted_and_the_next_run_when_retry_after_says(world: World, client: Client) -> None:
    statuses = [client.ask().status for _ in range(TIER.burst + 2)]
    refused = client.ask()
    world.clock.advance(int(refused.headers["retry-after"]))

    assert statuses == [202] * TIER.burst + [429, 429]
    assert (refused.code, refused.headers["retry-after"]) == ("rate_limited", "1")
    assert client.ask().status == 202


@pytest.mark.guarantee_c
def test_a_refused_run_leaves_no_trace(world: World, client: Client) -> None:
    for _ in range(TIER.burst + 5):
        client.ask()

    assert len(world.runs.rows) == TIER.burst


@pytest.mark.guarantee_e
def test_one_tenants_runs_take_nothing_from_another(world: World, client: Client) -> None:
    for _ in range(TIER.burst + 1):
        client.ask()

    assert Client(world, world.issue(BOB)).ask().status == 202


def test_a_request_that_is_refused_for_its_fields_takes_nothing_from_the_allowance(client: Client) -> None:
    for _ in range(10):
        client.ask("")

    assert client.ask().status == 202


def test_reading_is_not_limited_by_the_allowance_of_runs(client: Client) -> None:
    run_id = client.ask().json["id"]

    statuses = {client.call("GET", f"/v1/runs/{run_id}").status for _ in range(20)}

    assert statuses == {200}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/documents"), ("GET", "/v1/runs/run_x"), ("PUT", "/v1/runs"), ("GET", "/v1/nope")]
)
def test_every_authenticated_answer_tells_the_policy(client: Client, method: str, path: str) -> None:
    assert client.call(method, path).headers["ratelimit-policy"] == '"runs";q=60;w=60'


def test_a_counted_answer_tells_what_is_left(client: Client) -> None:
    left = [client.ask().headers["ratelimit"] for _ in range(TIER.burst + 1)]

    assert left == ['"runs";r=2;t=0', '"runs";r=1;t=0', '"runs";r=0;t=0', '"runs";r=0;t=1']
