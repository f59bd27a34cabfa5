"""From which load on self-hosting is cheaper."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.contracts.models import Usage
from plinth.money.breakeven import COOL_DOWN_SECONDS, Breakeven, awake_share, breakeven, saturation
from plinth.money.prices import HourlyPrice, Price, cost_micro_usd, hourly_price_of, price_of

REQUEST = Usage(input_tokens=1500, output_tokens=300)
INSTANCE = HourlyPrice(instance="i", amount=1_000_000, source="s", as_of="2026-11-23", confidence="exact")
OWN, HAIKU = price_of("plinth-gpu"), price_of("claude-haiku-5-5")
SNAPSHOT = Path(__file__).parents[2] / "cdk" / "snapshots" / "prod" / "models.json"


def api_price(per_token_both_ways: int) -> Price:
    return replace(HAIKU, input=per_token_both_ways, output=per_token_both_ways, long_prompt=None)


def found(api: Price = HAIKU, *, instance: HourlyPrice = INSTANCE, request: Usage = REQUEST) -> Breakeven:
    return breakeven(own=OWN, api=api, instance=instance, request=request)


def test_an_endpoint_that_never_sleeps_breaks_even_at_its_hour_over_the_price_of_a_request() -> None:
    result = found()

    assert result.api_micro_usd == 300
    assert result.requests_per_hour == pytest.approx(1_000_000 / 300)
    assert result.awake_share == pytest.approx(1)
    assert result.needed_tokens_per_second == pytest.approx(1_000_000 / 300 * 300 / 3600)


def test_sleep_lowers_the_break_even_where_requests_are_dear_and_so_rare() -> None:
    result = found(api_price(70_000_000))

    assert result.requests_per_hour is not None
    assert 0 < result.requests_per_hour < 1_000_000 / result.api_micro_usd
    assert result.awake_share is not None
    assert result.requests_per_hour * result.api_micro_usd == pytest.approx(1_000_000 * result.awake_share)


def test_a_request_that_costs_more_than_a_whole_cool_down_makes_self_hosting_cheaper_at_any_load() -> None:
    result = found(api_price(200_000_000))

    assert (result.requests_per_hour, result.awake_share) == (0.0, 0.0)


def test_an_api_model_that_costs_no_more_per_token_is_never_dearer() -> None:
    result = found(OWN)

    assert (result.requests_per_hour, result.awake_share, result.needed_tokens_per_second) == (None, None, None)


@given(
    price=st.integers(1, 300_000_000),
    hourly=st.integers(100_000, 100_000_000),
    factor=st.floats(0.1, 10).filter(lambda factor: abs(factor - 1) > 0.001),
)
def test_below_the_break_even_the_api_is_cheaper_and_above_it_self_hosting_is(
    price: int, hourly: int, factor: float
) -> None:
    api, instance = api_price(price), replace(INSTANCE, amount=hourly)
    even = found(api, instance=instance).requests_per_hour
    assert even is not None
    load = even * factor

    api_bill, own_bill = load * cost_micro_usd(api, REQUEST), hourly * awake_share(load)

    assert (own_bill <= api_bill) if factor > 1 or even == 0 else (own_bill >= api_bill)


def test_the_break_even_is_a_share_of_what_one_instance_can_serve() -> None:
    result = found()

    enough = saturation(result, instance=INSTANCE, request=REQUEST, tokens_per_second=500)

    assert enough.requests_per_hour == 6000
    assert enough.utilisation == pytest.approx(1_000_000 / 300 / 6000)
    assert enough.micro_usd_per_request == pytest.approx(1_000_000 / 6000)


def test_an_instance_that_saturates_below_the_break_even_costs_more_per_request_even_when_full() -> None:
    result = found()

    slow = saturation(result, instance=INSTANCE, request=REQUEST, tokens_per_second=100)

    assert slow.utilisation is not None
    assert slow.utilisation > 1
    assert slow.micro_usd_per_request > result.api_micro_usd


def test_the_cool_down_is_the_one_that_is_deployed() -> None:
    policies = [
        properties["TargetTrackingScalingPolicyConfiguration"]["ScaleInCooldown"]
        for each in json.loads(SNAPSHOT.read_text())["Resources"].values()
        if "TargetTrackingScalingPolicyConfiguration" in (properties := each.get("Properties", {}))
    ]

    assert policies == [COOL_DOWN_SECONDS] * len(policies)
    assert policies


@pytest.mark.parametrize("instance", ["ml.g5.xlarge", "ml.g6.xlarge", "ml.g6e.xlarge"])
def test_every_priced_instance_has_a_break_even_against_an_api_model(instance: str) -> None:
    even = found(instance=hourly_price_of(instance)).requests_per_hour

    assert even is not None
    assert even > 1000
