"""What tokens and instance hours cost: rows of prices.json, turned into integer micro-dollars rounded up.

`make prices` writes prices.json; each row says where and when its price was read, and how far to trust it.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from plinth.contracts.models import Usage
from plinth.errors import PlinthError

Confidence = Literal["exact", "published", "from memory"]
"""`exact` follows from how we run it, `published` was read at the source, `from memory` is to be checked."""

_TOKENS_PER_PRICE = 1_000_000


class UnpricedModelError(PlinthError):
    """The price file has no row for this model: it may not be called."""


class UnpricedInstanceError(PlinthError):
    """The price file has no row for this kind of instance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Micro-dollars per million tokens, by kind of token. `cache_write` is for a cache that lives five minutes."""

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
    """Micro-dollars per million tokens of one model, with where and when they were read."""

    model: str
    source: str
    as_of: str
    confidence: Confidence
    long_prompt: LongPromptRates | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HourlyPrice:
    """Micro-dollars for an hour of one instance, with where and when they were read."""

    instance: str
    amount: int
    source: str
    as_of: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFile:
    """The whole file: rows by their unit."""

    micro_usd_per_million_tokens: tuple[Price, ...]
    micro_usd_per_hour: tuple[HourlyPrice, ...]


@cache
def _file() -> PriceFile:
    text = (files("plinth.money") / "prices.json").read_bytes()
    return msgspec.json.decode(text, type=PriceFile)


@cache
def _prices() -> dict[str, Price]:
    return {price.model: price for price in _file().micro_usd_per_million_tokens}


def price_of(model: str) -> Price:
    """Return the price row of a catalogue model, or raise `UnpricedModelError`."""
    price = _prices().get(model)
    if price is None:
        remedy = "add it to the catalogue or to layers/kept_prices.toml, then run `make prices`"
        raise UnpricedModelError(f"model {model!r} has no row in plinth/money/prices.json: {remedy}")
    return price


def hourly_price_of(instance: str) -> HourlyPrice:
    """Return the price row of a kind of instance, or raise `UnpricedInstanceError` that lists what there is."""
    rows = {row.instance: row for row in _file().micro_usd_per_hour}
    if instance not in rows:
        raise UnpricedInstanceError(f"instance {instance!r} has no price: use one of {', '.join(rows)}")
    return rows[instance]


def rates_of(price: Price, prompt_tokens: int) -> Rates:
    """Return the rates of a request whose prompt, cached parts included, has this many tokens."""
    dearer = price.long_prompt
    return dearer if dearer and prompt_tokens > dearer.above_input_tokens else price


def cost_micro_usd(price: Price, usage: Usage) -> int:
    """Return what a finished call cost. The length of the prompt decides the rates for the whole request."""
    rates = rates_of(price, _prompt_tokens(usage))
    parts = (
        usage.input_tokens * rates.input
        + usage.cached_input_tokens * rates.cache_read
        + usage.cache_write_tokens * rates.cache_write
        + usage.output_tokens * rates.output
    )
    return -(-parts // _TOKENS_PER_PRICE)


def prompt_cache_saved_micro_usd(price: Price, usage: Usage) -> int:
    """Return what the provider's prompt cache saved on this call; negative where it was only written to."""
    rates = rates_of(price, _prompt_tokens(usage))
    saved = usage.cached_input_tokens * (rates.input - rates.cache_read)
    return (saved - usage.cache_write_tokens * (rates.cache_write - rates.input)) // _TOKENS_PER_PRICE


def bound_micro_usd(price: Price, *, input_token_bound: int, max_output_tokens: int) -> int:
    """Return the most that a call can cost, known before it is made: every input token at its dearest rate."""
    rates = rates_of(price, input_token_bound)
    parts = input_token_bound * max(rates.input, rates.cache_write) + max_output_tokens * rates.output
    return -(-parts // _TOKENS_PER_PRICE)


def _prompt_tokens(usage: Usage) -> int:
    return usage.input_tokens + usage.cached_input_tokens + usage.cache_write_tokens
