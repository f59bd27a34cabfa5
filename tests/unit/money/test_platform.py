"""What a run's own work costs: each kind and each step at its price, both to the same sum."""

import pytest

from plinth.contracts.events import StepEnded
from plinth.contracts.platform import PlatformKind, Spent
from plinth.money.platform import platform_cost, platform_prices

API = StepEnded(step="Api", started_at=0.0, duration_ms=100.0, spent=Spent(memory_mb=512, write_units=6.0))
CLAIM = StepEnded(step="ClaimRun", started_at=10.0, duration_ms=1000.0, spent=Spent(memory_mb=1024, write_units=1.0))
SEARCH = StepEnded(
    step="RetrieveContext", started_at=11.0, duration_ms=0.0, spent=Spent(memory_mb=1024, read_units=0.5, searches=2)
)
DEAD = StepEnded(step="CallModel", started_at=11.0, duration_ms=5000.0, outcome="Sandbox.Timedout")


def test_every_kind_has_a_price_with_its_source() -> None:
    prices = platform_prices()

    assert set(prices) == set(PlatformKind)
    assert all(price.source and price.as_of for price in prices.values())


def test_a_step_costs_its_request_its_time_by_its_memory_and_its_units() -> None:
    cost = platform_cost([CLAIM])

    assert cost.steps["ClaimRun"] == 200 + 13_334 + 625
    assert cost.steps["workflow"] == 1000 + 1042


def test_the_request_counts_with_the_function_that_took_it_and_starts_no_machine() -> None:
    cost = platform_cost([API])

    assert cost.steps == {"Api": 3500 + 200 + 667 + 3750}
    assert {line.kind: line.quantity for line in cost.lines} == {
        PlatformKind.API_REQUESTS: 1,
        PlatformKind.LAMBDA_REQUESTS: 1,
        PlatformKind.LAMBDA_GB_SECONDS: 0.05,
        PlatformKind.WRITE_UNITS: 6,
    }


def test_a_step_that_died_counts_the_time_of_the_machine_alone() -> None:
    cost = platform_cost([CLAIM, DEAD])

    assert "CallModel" not in cost.steps
    (machine,) = (line for line in cost.lines if line.kind is PlatformKind.WORKFLOW_GB_SECONDS)
    assert machine.quantity == pytest.approx(6 * 64 / 1024)


def test_searches_are_counted_though_their_engine_is_billed_by_the_hour() -> None:
    (line,) = (line for line in platform_cost([SEARCH]).lines if line.kind is PlatformKind.SEARCHES)

    assert (line.quantity, line.cost_nano_usd) == (2, 0)


def test_both_sums_are_the_whole() -> None:
    cost = platform_cost([API, CLAIM, SEARCH, SEARCH, DEAD])

    assert cost.cost_nano_usd == sum(cost.steps.values()) == sum(line.cost_nano_usd for line in cost.lines)
