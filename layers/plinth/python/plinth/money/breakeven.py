"""From which load on a self-hosted model is cheaper than an API model: its instance is billed while it is awake.

Requests come evenly and independently (Poisson). Each keeps the endpoint awake for the cool-down, so at r requests an
hour it is awake for the share 1 - exp(-r * cool-down) of the time. An instance that is saturated serves no more.
"""

import math
from dataclasses import dataclass

from plinth.contracts.models import Usage
from plinth.money.prices import HourlyPrice, Price, cost_micro_usd

COOL_DOWN_SECONDS = 600
"""How long an endpoint is taken to stay awake after its last request: the cool-down of cdk/constructs/waking.py.

The alarm of AWS that lets it sleep may take longer; not verified on AWS.
"""

_HOUR_SECONDS = 3600
_HALVINGS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakeven:
    """The load at which both cost the same; loads are per hour, None where self-hosting never gets cheaper.

    `needed_tokens_per_second` is what one instance must write in all to serve that load.
    """

    requests_per_hour: float | None
    awake_share: float | None
    needed_tokens_per_second: float | None
    api_micro_usd: int
    own_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation:
    """What one instance can do at a throughput: its most requests per hour, and what each of them then costs.

    `utilisation` is the share of that which the break-even takes: above 1, self-hosting is cheaper at no load, on any
    number of instances.
    """

    requests_per_hour: float
    micro_usd_per_request: float
    utilisation: float | None


def breakeven(*, own: Price, api: Price, instance: HourlyPrice, request: Usage) -> Breakeven:
    """Return from which load on `own`, on this instance, is cheaper than `api` for requests of this many tokens."""
    own_micro_usd, api_micro_usd = cost_micro_usd(own, request), cost_micro_usd(api, request)
    per_hour = _crossing(instance.amount, saved=api_micro_usd - own_micro_usd)
    return Breakeven(
        requests_per_hour=per_hour,
        awake_share=None if per_hour is None else awake_share(per_hour),
        needed_tokens_per_second=None if per_hour is None else per_hour * request.output_tokens / _HOUR_SECONDS,
        api_micro_usd=api_micro_usd,
        own_micro_usd=own_micro_usd,
    )


def saturation(found: Breakeven, *, instance: HourlyPrice, request: Usage, tokens_per_second: float) -> Saturation:
    """Return what one instance can do that writes `tokens_per_second` in all, over its concurrent requests."""
    most = tokens_per_second * _HOUR_SECONDS / request.output_tokens
    return Saturation(
        requests_per_hour=most,
        micro_usd_per_request=instance.amount / most + found.own_micro_usd,
        utilisation=None if found.requests_per_hour is None else found.requests_per_hour / most,
    )


def awake_share(requests_per_hour: float) -> float:
    """Return the share of the time that an endpoint is awake for, and billed, at this load."""
    return -math.expm1(-requests_per_hour * COOL_DOWN_SECONDS / _HOUR_SECONDS)


def _crossing(hourly: int, *, saved: int) -> float | None:
    """Return where saved * r = hourly * awake_share(r), found by halving; the bill of the endpoint is concave in r.

    0 where one request saves more than a whole cool-down costs: then every load is enough.
    """
    if saved <= 0:
        return None
    if saved * _HOUR_SECONDS >= hourly * COOL_DOWN_SECONDS:
        return 0.0
    low, high = 0.0, hourly / saved
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if middle * saved > hourly * awake_share(middle) else (middle, high)
    return high
