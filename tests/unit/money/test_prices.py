"""Tokens into micro-dollars."""

import pytest
from genai_prices import Usage as PublishedUsage
from genai_prices import calc_price
from hypothesis import given
from hypothesis import strategies as st

from plinth.contracts.models import Usage
from plinth.money.prices import bound_micro_usd, cost_micro_usd, price_of

TOKENS = st.integers(min_value=0, max_value=300_000)


@pytest.mark.parametrize("model", ["claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-4-5"])
@pytest.mark.parametrize(("plain", "cached", "output"), [(1_000, 0, 500), (50_000, 20_000, 4_000), (150_000, 0, 10)])
def test_costs_agree_with_the_published_price_database(model: str, plain: int, cached: int, output: int) -> None:
    usage = PublishedUsage(input_tokens=plain + cached, cache_read_tokens=cached, output_tokens=output)
    published = calc_price(usage, model_ref=model, provider_id="anthropic").total_price

    ours = cost_micro_usd(price_of(model), Usage(input_tokens=plain, cached_input_tokens=cached, output_tokens=output))

    assert ours == pytest.approx(float(published) * 1_000_000, abs=1)


@given(plain=TOKENS, cached=TOKENS, output=TOKENS)
def test_no_call_within_its_bounds_costs_more_than_was_said_before(plain: int, cached: int, output: int) -> None:
    price = price_of("claude-haiku-5-5")
    usage = Usage(input_tokens=plain, cached_input_tokens=cached, output_tokens=output)

    assert cost_micro_usd(price, usage) <= bound_micro_usd(
        price, input_token_bound=plain + cached, max_output_tokens=output
    )


def test_a_part_of_a_micro_dollar_is_rounded_up() -> None:
    assert cost_micro_usd(price_of("claude-haiku-5-5"), Usage(input_tokens=1, output_tokens=0)) == 1
