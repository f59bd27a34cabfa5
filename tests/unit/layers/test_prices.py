"""How the price file is made: from the price database, from what is kept by hand, and never from a guess."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from genai_prices.types import ModelPrice, Tier, TieredPrices

from layers.prices import CATALOGUE, KEPT, PRICES, PriceSourceError, main, price_file
from plinth.money.prices import Price, PriceFile

NOTHING_KEPT = b"[models]\n[instances]\n"


def listing(model_id: str, *, provider: str = "anthropic") -> bytes:
    return msgspec.json.encode({"models": [{"id": model_id, "provider": provider, "provider_model": model_id}]})


def priced(catalogue: bytes, kept: bytes = NOTHING_KEPT) -> Price:
    return msgspec.json.decode(price_file(catalogue, kept), type=PriceFile).micro_usd_per_million_tokens[0]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, Decimal | TieredPrices]:
    """Replace the price database by these rates."""
    rates: dict[str, Decimal | TieredPrices] = {"input_mtok": Decimal(1), "output_mtok": Decimal(2)}

    class Found:
        model_price = property(lambda _: ModelPrice(**rates))

    monkeypatch.setattr("genai_prices.calc_price", lambda *_, **__: Found())
    return rates


def test_the_committed_price_file_is_what_the_script_makes() -> None:
    made = price_file(CATALOGUE.read_bytes(), KEPT.read_bytes())

    assert PRICES.read_text() == made, "run `make prices` and commit the price file"


def test_a_stale_price_file_is_found_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("layers.prices.PRICES", tmp_path / "prices.json")
    (tmp_path / "prices.json").write_text("{}")

    assert main(["--check"]) == 1
    assert "stale" in capsys.readouterr().err
    assert (main([]), main(["--check"])) == (0, 0)


def test_a_model_that_neither_source_prices_is_refused_by_name() -> None:
    with pytest.raises(PriceSourceError, match=r"anthropic claude-0: add it to layers/kept_prices\.toml"):
        price_file(listing("claude-0"), NOTHING_KEPT)


def test_a_kept_price_of_no_model_of_the_catalogue_is_refused_by_name() -> None:
    kept = b'[models.gone]\nsource = "s"\nas_of = "2026-11-01"\nconfidence = "exact"\n[instances]\n'

    with pytest.raises(PriceSourceError, match="prices gone, which the catalogue lacks"):
        price_file(listing("claude-haiku-4-5"), kept)


def test_an_unknown_confidence_of_a_kept_price_is_refused() -> None:
    kept = b'[models.own]\nsource = "s"\nas_of = "2026-11-01"\nconfidence = "hoped"\n[instances]\n'

    with pytest.raises(msgspec.ValidationError, match="confidence"):
        price_file(listing("own"), kept)


def test_another_version_of_the_database_is_refused_until_its_day_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genai_prices.__version__", "9.9.9")

    with pytest.raises(PriceSourceError, match=r"9\.9\.9 here: set DATABASE and DATABASE_AS_OF"):
        price_file(listing("claude-haiku-4-5"), NOTHING_KEPT)


def test_cached_tokens_without_a_rate_of_their_own_cost_what_input_costs(published: Mapping[str, object]) -> None:
    price = priced(listing("m"))

    assert (price.input, price.cache_read, price.cache_write) == (1_000_000, 1_000_000, 1_000_000)


def test_the_rates_of_long_prompts_are_taken_with_the_length_from_which_they_count(
    published: dict[str, Decimal | TieredPrices],
) -> None:
    published["input_mtok"] = TieredPrices(base=Decimal(1), tiers=[Tier(start=5000, price=Decimal(3))])

    price = priced(listing("m"))

    assert price.long_prompt is not None
    assert price.long_prompt.above_input_tokens == 5000
    assert (price.input, price.long_prompt.input, price.long_prompt.output) == (1_000_000, 3_000_000, 2_000_000)


@pytest.mark.parametrize(
    ("rate", "complaint"),
    [
        (Decimal("0.0000001"), "whole number"),
        (
            TieredPrices(base=Decimal(1), tiers=[Tier(start=1, price=Decimal(2)), Tier(start=2, price=Decimal(3))]),
            "more than one long-prompt step",
        ),
    ],
    ids=["a part of a micro-dollar", "two steps"],
)
def test_a_price_that_the_file_cannot_hold_is_refused_by_name(
    published: dict[str, Decimal | TieredPrices], rate: Decimal | TieredPrices, complaint: str
) -> None:
    published["input_mtok"] = rate

    with pytest.raises(PriceSourceError, match=f"^m .*{complaint}"):
        price_file(listing("m"), NOTHING_KEPT)
