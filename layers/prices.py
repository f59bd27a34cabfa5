"""What is in the price file: the catalogue's API models from a kept price database, all else from kept_prices.toml.

`python -m layers.prices` writes it, `--check` fails where it is stale. An entry that neither source prices is refused.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import genai_prices
import msgspec
from genai_prices.types import ModelPrice, TieredPrices

from plinth.money.prices import Confidence, HourlyPrice, LongPromptRates, Price, PriceFile

_LAYERS = Path(__file__).parent
_PLINTH = _LAYERS / "plinth" / "python" / "plinth"
CATALOGUE = _PLINTH / "chain" / "catalogue.json"
KEPT = _LAYERS / "kept_prices.toml"
PRICES = _PLINTH / "money" / "prices.json"
DATABASE = "genai-prices 0.2.3"
DATABASE_AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
"""The day whose prices are taken; move it with the pinned version of the database."""
_MICRO_USD = 1_000_000


class PriceSourceError(Exception):
    """The sources don't give a price, or one that the file can't hold; the text names the entry and the remedy."""


class _Listed(msgspec.Struct):
    id: str
    provider: str
    provider_model: str


class _Catalogue(msgspec.Struct):
    models: tuple[_Listed, ...]


class _KeptModel(msgspec.Struct, forbid_unknown_fields=True):
    """A model without a price per token."""

    source: str
    as_of: str
    confidence: Confidence


class _KeptInstance(_KeptModel, forbid_unknown_fields=True):
    usd_per_hour: Decimal


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    models: dict[str, _KeptModel]
    instances: dict[str, _KeptInstance]


def price_file(catalogue: bytes, kept: bytes) -> str:
    """Return the text of the price file for these two files; raise `PriceSourceError`, which names the entry."""
    listed = msgspec.json.decode(catalogue, type=_Catalogue).models
    own = msgspec.toml.decode(kept, type=_Kept)
    surplus = set(own.models) - {each.id for each in listed}
    if surplus:
        raise PriceSourceError(f"kept_prices.toml prices {', '.join(sorted(surplus))}, which the catalogue lacks")
    content = PriceFile(
        micro_usd_per_million_tokens=tuple(
            _kept_price(each.id, own.models[each.id]) if each.id in own.models else _database_price(each)
            for each in listed
        ),
        micro_usd_per_hour=tuple(
            HourlyPrice(
                instance=name,
                amount=_micro_usd(each.usd_per_hour, of=name),
                source=each.source,
                as_of=each.as_of,
                confidence=each.confidence,
            )
            for name, each in own.instances.items()
        ),
    )
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"


def _kept_price(model_id: str, kept: _KeptModel) -> Price:
    return Price(
        model=model_id,
        input=0,
        output=0,
        cache_read=0,
        cache_write=0,
        source=kept.source,
        as_of=kept.as_of,
        confidence=kept.confidence,
    )


def _database_price(listed: _Listed) -> Price:
    if genai_prices.__version__ != DATABASE.partition(" ")[2]:
        raise PriceSourceError(
            f"genai-prices is {genai_prices.__version__} here: set DATABASE and DATABASE_AS_OF to it"
        )
    try:
        found = genai_prices.calc_price(
            genai_prices.Usage(),
            listed.provider_model,
            provider_id=listed.provider,
            genai_request_timestamp=DATABASE_AS_OF,
        ).model_price
    except LookupError as error:
        remedy = "add it to layers/kept_prices.toml with its source, or take it out of the catalogue"
        raise PriceSourceError(f"{DATABASE} has no price of {listed.provider} {listed.id}: {remedy}") from error
    above = _threshold(found, of=listed.id)
    return Price(
        model=listed.id,
        **_rates(found, of=listed.id, long=False),
        source=DATABASE,
        as_of=f"{DATABASE_AS_OF:%Y-%m-%d}",
        confidence="published",
        long_prompt=LongPromptRates(above_input_tokens=above, **_rates(found, of=listed.id, long=True))
        if above is not None
        else None,
    )


def _rates(price: ModelPrice, *, of: str, long: bool) -> dict[str, int]:
    """Return the rates by kind of token. Cached tokens without a rate of their own are billed as any input.

    `cache_write_mtok` is the rate of the five-minute cache, the only one that Plinth writes to.
    """
    by_kind = {
        "input": price.input_mtok,
        "output": price.output_mtok,
        "cache_read": price.cache_read_mtok or price.input_mtok,
        "cache_write": price.cache_write_mtok or price.input_mtok,
    }
    return {kind: _micro_usd(_rate(found, long=long), of=of) for kind, found in by_kind.items()}


def _rate(found: Decimal | TieredPrices | None, *, long: bool) -> Decimal | None:
    if isinstance(found, TieredPrices):
        return found.tiers[0].price if long else found.base
    return found


def _threshold(price: ModelPrice, *, of: str) -> int | None:
    """Return from which prompt length on the dearer rates count: the file has one such step, the same for each kind."""
    kinds = (price.input_mtok, price.output_mtok, price.cache_read_mtok, price.cache_write_mtok)
    steps = {tuple(tier.start for tier in found.tiers) for found in kinds if isinstance(found, TieredPrices)}
    match sorted(steps):
        case []:
            return None
        case [(start,)]:
            return start
        case _:
            raise PriceSourceError(f"{of} has more than one long-prompt step: plinth/money/prices.py knows one")


def _micro_usd(dollars: Decimal | None, *, of: str) -> int:
    amount = None if dollars is None else dollars * _MICRO_USD
    if amount is None or amount != int(amount) or amount < 0:
        raise PriceSourceError(f"{of} has the price {dollars}: it must be a whole number of micro-dollars")
    return int(amount)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the price file, or with --check return 1 if it is stale."""
    parser = argparse.ArgumentParser(prog="python -m layers.prices", description=main.__doc__, allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the file is stale")
    options = parser.parse_args(arguments)
    try:
        text = price_file(CATALOGUE.read_bytes(), KEPT.read_bytes())
    except (PriceSourceError, msgspec.MsgspecError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if not options.check:
        PRICES.write_text(text)
    elif PRICES.read_text() != text:
        sys.stderr.write(f"{PRICES.name} is stale: run `make prices`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
