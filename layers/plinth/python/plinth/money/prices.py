"""What tokens cost: one row per model, read from prices.json, turned into integer micro-dollars rounded up."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec

from plinth.contracts.models import Usage
from plinth.errors import PlinthError

_TOKENS_PER_PRICE = 1_000_000


class UnpricedModelError(PlinthError):
    """The price file has no row for this model: it may not be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Micro-dollars per million tokens, by kind of token."""

    input: int
    output: int
    cache_read: int
    cache_write: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LongPromptRates(Rates):
    """The rates of a whole request whose prompt is longer than `above_input_tokens`."""

    above_input_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(Rates):
    """One row of the price file, with where and when it was read."""

    model: str
    source: str
    as_of: str
    confidence: str
    long_prompt: LongPromptRates | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFile:
    """The whole file; its unit is fixed."""

    unit: str
    prices: tuple[Price, ...]


@cache
def _prices() -> dict[str, Price]:
    text = (files("plinth.money") / "prices.json").read_bytes()
    return {price.model: price for price in msgspec.json.decode(text, type=PriceFile).prices}


def price_of(model: str) -> Price:
    """Return the price row of a catalogue model, or raise `UnpricedModelError`."""
    price = _prices().get(model)
    if price is None:
        raise UnpricedModelError(f"model {model!r} has no row in plinth/money/prices.json: add one with its source")
    return price


def cost_micro_usd(price: Price, usage: Usage) -> int:
    """Return what a finished call cost. The length of the prompt decides the rates for the whole request."""
    rates = _rates(price, _prompt_tokens(usage))
    parts = (
        usage.input_tokens * rates.input
        + usage.cached_input_tokens * rates.cache_read
        + usage.cache_write_tokens * rates.cache_write
        + usage.output_tokens * rates.output
    )
    return -(-parts // _TOKENS_PER_PRICE)


def prompt_cache_saved_micro_usd(price: Price, usage: Usage) -> int:
    """Return what the provider's prompt cache saved on this call; negative where it was only written to."""
    rates = _rates(price, _prompt_tokens(usage))
    saved = usage.cached_input_tokens * (rates.input - rates.cache_read)
    return (saved - usage.cache_write_tokens * (rates.cache_write - rates.input)) // _TOKENS_PER_PRICE


def bound_micro_usd(price: Price, *, input_token_bound: int, max_output_tokens: int) -> int:
    """Return the most that a call can cost, known before it is made: every input token at its dearest rate."""
    rates = _rates(price, input_token_bound)
    parts = input_token_bound * max(rates.input, rates.cache_write) + max_output_tokens * rates.output
    return -(-parts // _TOKENS_PER_PRICE)


def _prompt_tokens(usage: Usage) -> int:
    return usage.input_tokens + usage.cached_input_tokens + usage.cache_write_tokens


def _rates(price: Price, prompt_tokens: int) -> Rates:
    dearer = price.long_prompt
    return dearer if dearer and prompt_tokens > dearer.above_input_tokens else price
