"""The request limit: exactly the burst, an exact time to come back, and headers on every authenticated answer."""

from dataclasses import replace

import pytest

from plinth.contracts.access import Priority, Tier
from plinth.contracts.limits import Left
from plinth.errors import StoreUnavailableError
from tests.unit.access.world import ALICE, BOB, TIER, World
from tests.unit.api.client import Client

LEFT = [(2, 0), (1, 0), (0, 1), (0, 1)]


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


@pytest.mark.guarantee_c
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/documents"), ("GET", "/v1/runs/run_x"), ("GET", "/v1/models"), ("PUT", "/v1/runs"), ("GET", "/v1/x")],
)
def test_every_authenticated_answer_tells_each_limit_and_takes_nothing(client: Client, method: str, path: str) -> None:
    answers = [client.call(method, path) for _ in range(3)]

    assert {answer.headers["ratelimit-policy"] for answer in answers} == {
        '"requests";q=60;w=60, "tokens";q=100000;w=60, "concurrency";q=10;qu="concurrent-requests"'
    }
    assert {answer.headers["ratelimit"] for answer in answers} == {
        '"requests";r=3;t=0, "tokens";r=100000;t=0, "concurrency";r=10;t=0'
    }


def test_a_counted_answer_tells_what_is_left(client: Client) -> None:
    left = [client.ask().headers["ratelimit"].split(", ")[::2] for _ in range(TIER.burst + 1)]

    assert [requests for requests, _ in left] == [f'"requests";r={n}' + f";t={t}" for n, t in LEFT]
    assert [concurrency for _, concurrency in left] == [f'"concurrency";r={n};t=0' for n in (9, 8, 7, 7)]


@pytest.mark.guarantee_c
@pytest.mark.parametrize(
    ("limit", "tight", "retry_after"),
    [
        ("requests", {"burst": 1}, "1"),
        ("tokens", {"tokens_per_minute": 2500}, "41"),
        ("concurrency", {"concurrent_runs": 1}, "1"),
    ],
)
def test_a_refusal_names_its_limit_and_takes_nothing_from_the_others(
    world: World, client: Client, limit: str, tight: dict[str, int], retry_after: str
) -> None:
    world.tenants.tiers[ALICE] = replace(TIER, **tight)
    client.ask("x" * 100)
    before = client.call("GET", "/v1/models").headers["ratelimit"]
    refused = client.ask("x" * 100)

    assert (refused.status, refused.code, refused.json["limit"]) == (429, "rate_limited", limit)
    assert refused.headers["retry-after"] == retry_after
    assert client.call("GET", "/v1/models").headers["ratelimit"] == before
    assert len(world.runs.rows) == 1


@pytest.mark.guarantee_c
@pytest.mark.guarantee_a
def test_a_repeat_of_an_accepted_run_takes_nothing_even_when_the_limits_are_reached(
    world: World, client: Client
) -> None:
    world.tenants.tiers[ALICE] = replace(TIER, concurrent_runs=1)
    answers = [client.ask(headers={"Idempotency-Key": "once"}) for _ in range(5)]

    assert [answer.status for answer in answers] == [202] * 5
    assert len({answer.json["id"] for answer in answers}) == 1
    assert {answer.headers["ratelimit"] for answer in answers[1:]} == {answers[0].headers["ratelimit"]}


@pytest.mark.guarantee_c
def test_a_run_that_could_not_be_written_down_gives_back_its_place_and_tokens(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise StoreUnavailableError("down")

    monkeypatch.setattr(world.runs, "accept", down)

    assert client.ask().status == 503
    assert '"tokens";r=100000;t=0, "concurrency";r=10;t=0' in client.call("GET", "/v1/models").headers["ratelimit"]


@pytest.mark.guarantee_c
def test_a_run_that_could_not_be_started_gives_back_its_place_and_tokens(world: World, client: Client) -> None:
    def down(_: object) -> None:
        raise StoreUnavailableError("down")

    world.machines.start_answer = down  # type: ignore[method-assign]

    assert client.ask().status == 503
    assert '"tokens";r=100000;t=0, "concurrency";r=10;t=0' in client.call("GET", "/v1/models").headers["ratelimit"]


@pytest.mark.guarantee_c
def test_a_change_of_the_tier_is_in_force_at_once(world: World, client: Client) -> None:
    world.tenants.tiers[ALICE] = replace(TIER, concurrent_runs=1)
    statuses = [client.ask().status, client.ask().status]
    world.tenants.tiers[ALICE] = Tier(name="all", models=TIER.models, max_output_tokens=500)
    free = client.ask()

    assert [*statuses, free.status] == [202, 429, 202]
    assert not {"ratelimit", "ratelimit-policy"} & set(free.headers)


def test_a_full_environment_turns_low_priorities_away_with_503(world: World, client: Client) -> None:
    world.limits.capacity = 2
    first, second, third = (client.ask() for _ in range(3))
    world.tenants.tiers[ALICE] = replace(TIER, priority=Priority.LOW)
    low = client.ask()

    assert (first.status, second.status) == (202, 202)
    assert (third.status, third.code, third.headers["retry-after"]) == (503, "overloaded", "5")
    assert low.status == 503
    assert '"requests";r=1;t=0' in low.headers["ratelimit"]


def test_what_is_left_is_not_told_where_it_can_not_be_read(world: World, client: Client) -> None:
    def unread(*_: object) -> tuple[Left, ...]:
        raise StoreUnavailableError("down")

    world.limits.left = unread  # type: ignore[method-assign]
    answer = client.call("GET", "/v1/models")

    assert answer.status == 200
    assert "ratelimit" not in answer.headers
    assert "ratelimit-policy" in answer.headers
