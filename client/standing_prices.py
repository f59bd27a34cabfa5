"""What a month of a thing that stands idle costs: rows of standing_prices.json, in integer micro-dollars of one region.

Each row says where and when its price was read, and how far to trust it. Free tiers of an account are left out.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec

from plinth.money.prices import Confidence, UnpricedInstanceError, hourly_price_of

HOURS_A_MONTH = 730
"""As the AWS pricing calculator counts (365 days of 24 hours in 12 months)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingPrice:
    """Micro-dollars per `unit` of one item, with where and when they were read."""

    item: str
    unit: str
    micro_usd: int
    source: str
    as_of: str
    confidence: Confidence

    @property
    def per_month(self) -> int:
        """Micro-dollars of one that stands a month: units of hours counted over the month, others as they are."""
        return self.micro_usd * (HOURS_A_MONTH if self.unit.endswith("hour") else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingPrices:
    """The file: rows of one region."""

    region: str
    rows: tuple[StandingPrice, ...]


@cache
def standing_prices() -> StandingPrices:
    """Return the whole file."""
    return msgspec.json.decode((files("client") / "standing_prices.json").read_bytes(), type=StandingPrices)


def standing_price(item: str) -> StandingPrice | None:
    """Return the price of an item, or of a SageMaker instance (which prices.json holds); None where neither has it."""
    for row in standing_prices().rows:
        if row.item == item:
            return row
    try:
        hourly = hourly_price_of(item)
    except UnpricedInstanceError:
        return None
    return StandingPrice(
        item=item,
        unit="hour",
        micro_usd=hourly.amount,
        source=hourly.source,
        as_of=hourly.as_of,
        confidence=hourly.confidence,
    )
