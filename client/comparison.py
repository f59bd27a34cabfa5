"""What `plinth models breakeven` says: from which load on self-hosting is cheaper, and every figure used."""

from collections.abc import Iterator
from dataclasses import dataclass

from plinth.contracts.models import Usage
from plinth.money.breakeven import COOL_DOWN_SECONDS, Breakeven, Saturation, breakeven, saturation
from plinth.money.prices import HourlyPrice, Price, rates_of

ASSUMED = (
    "an answer of either model is worth the same",
    "requests come evenly and independently",
    "no part of a prompt is cached by the API's provider",
    "both models count the same text as equally many tokens",
    "the minutes of waking, billed while the API model answers, are left out",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure that the result rests on, and where it is from."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A self-hosted model on its instance against an API model, for requests of a size."""

    own: Price
    api: Price
    instance: HourlyPrice
    request: Usage
    tokens_per_second: float | None = None

    @property
    def breakeven(self) -> Breakeven:
        """The load at which both cost the same."""
        return breakeven(own=self.own, api=self.api, instance=self.instance, request=self.request)

    @property
    def saturation(self) -> Saturation | None:
        """What one instance can do, where its throughput was given."""
        if self.tokens_per_second is None:
            return None
        return saturation(
            self.breakeven, instance=self.instance, request=self.request, tokens_per_second=self.tokens_per_second
        )

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure used, with its source, its day and how far it can be trusted."""
        result, throughput = self.breakeven, self.tokens_per_second
        return (
            Figure(
                name="tokens in, out",
                value=f"{self.request.input_tokens:,}, {self.request.output_tokens:,}",
                source="yours",
            ),
            Figure(
                name=f"{self.instance.instance}, hour",
                value=_dollars(self.instance.amount),
                source=_told(self.instance),
            ),
            *self._token_prices(self.api, per_request=result.api_micro_usd),
            *self._token_prices(self.own, per_request=result.own_micro_usd),
            Figure(
                name="awake after a request",
                value=f"{COOL_DOWN_SECONDS // 60} min",
                source="the endpoint's cool-down, cdk/constructs/waking.py",
            ),
            Figure(
                name="tokens per second",
                value="unknown" if throughput is None else f"{throughput:,g}",
                source="never measured here; pass --tokens-per-second" if throughput is None else "yours",
            ),
        )

    def _token_prices(self, price: Price, *, per_request: int) -> Iterator[Figure]:
        rates = rates_of(price, self.request.input_tokens)
        per_million = f"{_dollars(rates.input)}, {_dollars(rates.output)}"
        yield Figure(name=f"{price.model}, million in, out", value=per_million, source=_told(price))
        yield Figure(name=f"{price.model}, request", value=_dollars(per_request), source="computed, rounded up")

    @property
    def conclusions(self) -> tuple[str, ...]:
        """What follows, in sentences."""
        own, api, result = self.own.model, self.api.model, self.breakeven
        if result.requests_per_hour is None or result.awake_share is None:
            return (f"{api} costs no more per token than {own} does before its instance: it is cheaper at every load.",)
        hourly = result.requests_per_hour
        if not hourly:
            return (
                f"One request to {api} costs more than {own} for its whole cool-down: {own} is cheaper at every load.",
            )
        even = (
            f"Break-even: {hourly:,.0f} requests an hour, {hourly * 24:,.0f} a day; "
            f"the endpoint is then awake for {result.awake_share:.0%} of the time."
        )
        return (
            even,
            f"Below it {api} is cheaper; above it {own} is, if its instance can serve that.",
            self._capacity(result),
        )

    def _capacity(self, result: Breakeven) -> str:
        full = self.saturation
        if full is None or full.utilisation is None:
            return (
                f"To serve that, one instance must write {result.needed_tokens_per_second:,.0f} tokens per second over "
                "all its requests; how many it writes was never measured here. With fewer, it is cheaper at no load."
            )
        most = (
            f"One instance is full at {full.requests_per_hour:,.0f} requests an hour, which then cost "
            f"{_dollars(full.micro_usd_per_request)} each: the break-even is at a utilisation of {full.utilisation:.0%}"
        )
        if full.utilisation > 1:
            return (
                f"{most}. It can't serve that, so {self.own.model} is cheaper at no load, on any number of instances."
            )
        return f"{most}."


def _told(price: Price | HourlyPrice) -> str:
    return f"{price.source}, {price.as_of}, {price.confidence}"


def _dollars(micro_usd: float) -> str:
    return f"${micro_usd / 1_000_000:.6f}"
