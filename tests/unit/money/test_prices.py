"""Tokens into micro-dollars."""

import math

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.prices import DATABASE, DATABASE_AS_OF
from plinth.chain.catalogue import CatalogueModel, catalogue
from plinth.contracts.models import Usage
from plinth.money.prices import (
    UnpricedInstanceError,
    UnpricedModelError,
    bound_micro_usd,
    cost_micro_usd,
    hourly_price_of,
    price_of,
    prompt_cache_saved_micro_usd,
)

API_MODELS = [each for each in catalogue().models.values() if price_of(each.id).source == DATABASE]
STEPS = [step.above_input_tokens for each in API_MODELS if (step := price_of(each.id).long_prompt)]
NEAR_A_STEP = st.sampled_from(STEPS).flatmap(lambda step: st.integers(step - 1, step + 1))
PROMPTS = st.one_of(st.integers(0, 400_000), NEAR_A_STEP)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    prompt = draw(PROMPTS)
    cached = draw(st.integers(0, prompt))
    written = draw(st.integers(0, prompt - cached))
    return Usage(
        input_tokens=prompt - cached - written,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        output_tokens=draw(st.integers(0, 128_000)),
    )


def published_micro_usd(provider: str, model: str, usage: Usage) -> int:
    """Return what the price database itself makes of the usage, rounded up as prices.py says."""
    counted = genai_prices.Usage(
        input_tokens=usage.input_tokens + usage.cached_input_tokens + usage.cache_write_tokens,
        cache_read_tokens=usage.cached_input_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
    )
    published = genai_prices.calc_price(
        counted, model, provider_id=provider, genai_request_timestamp=DATABASE_AS_OF
    ).total_price
    return math.ceil(published * 1_000_000)


@pytest.mark.parametrize("model", API_MODELS, ids=lambda each: each.id)
@given(usage=usages())
def test_a_cost_is_what_the_price_database_calculates_rounded_up(model: CatalogueModel, usage: Usage) -> None:
    assert cost_micro_usd(price_of(model.id), usage) == published_micro_usd(model.provider, model.provider_model, usage)


@given(usage=usages(), model=st.sampled_from([each.id for each in API_MODELS]))
def test_no_call_within_its_bounds_costs_more_than_was_said_before(usage: Usage, model: str) -> None:
    price = price_of(model)
    prompt = usage.input_tokens + usage.cached_input_tokens + usage.cache_write_tokens

    assert cost_micro_usd(price, usage) <= bound_micro_usd(
        price, input_token_bound=prompt, max_output_tokens=usage.output_tokens
    )


def test_the_dearer_rates_count_for_a_prompt_over_the_step_and_for_all_of_it() -> None:
    price = price_of("claude-haiku-5-5")

    assert cost_micro_usd(price, Usage(input_tokens=100_000, output_tokens=0)) == 10_000
    assert cost_micro_usd(price, Usage(input_tokens=100_001, output_tokens=0)) == 50_001


def test_a_part_of_a_micro_dollar_is_rounded_up() -> None:
    assert cost_micro_usd(price_of("claude-haiku-5-5"), Usage(input_tokens=1, output_tokens=0)) == 1


def test_a_cached_prompt_saves_and_one_that_is_only_written_costs_more() -> None:
    price = price_of("claude-sonnet-5-5")
    read = Usage(input_tokens=0, cached_input_tokens=1_000_000, output_tokens=0)
    written = Usage(input_tokens=0, cache_write_tokens=1_000_000, output_tokens=0)

    assert prompt_cache_saved_micro_usd(price, read) == 1_900_000
    assert prompt_cache_saved_micro_usd(price, written) == -500_000


def test_a_self_hosted_model_costs_nothing_per_token() -> None:
    usage = Usage(input_tokens=10_000, output_tokens=10_000)

    assert cost_micro_usd(price_of("plinth-gpu"), usage) == 0


def test_a_model_without_a_price_is_refused_by_name() -> None:
    with pytest.raises(UnpricedModelError, match=r"'unpriced' has no row .*make prices"):
        price_of("unpriced")


def test_an_instance_without_a_price_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(UnpricedInstanceError, match=r"'ml.p9' has no price: use one of .*ml\.g6\.xlarge"):
        hourly_price_of("ml.p9")


@pytest.mark.parametrize("instance", ["ml.g5.xlarge", "ml.g6.xlarge", "ml.g6e.xlarge"])
def test_an_instance_price_that_nobody_looked_up_says_so(instance: str) -> None:
    assert hourly_price_of(instance).confidence == "from memory"
