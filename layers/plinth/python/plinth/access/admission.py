"""How limits are told to a caller: the error that a refusal becomes, and the header fields of every answer."""

import math
from collections.abc import Iterable

from plinth.contracts.access import Tier
from plinth.contracts.limits import Admission, Left, LimitName
from plinth.errors import OverloadedError, RateLimitedError

_WINDOW_SECONDS = 60


def require_admitted(admission: Admission, tier: Tier) -> None:
    """Raise `RateLimitedError`, or `OverloadedError`, unless the run was admitted."""
    wait = admission.retry_after_seconds
    match admission.refused_by:
        case None:
            return
        case LimitName.OVERLOAD:
            text = f"too many runs are running, and tier {tier.name} is served again when there are fewer"
            raise OverloadedError(f"{text}: try again in {wait:.0f} s", retry_after_seconds=wait)
        case LimitName.REQUESTS:
            text = f"{tier.requests_per_minute} runs a minute in bursts of {tier.burst}"
        case LimitName.TOKENS:
            text = f"{tier.tokens_per_minute} tokens a minute"
        case LimitName.CONCURRENCY:
            text = f"{tier.concurrent_runs} runs at once"
    raise RateLimitedError(
        f"tier {tier.name} allows {text}: try again in {wait:.3f} s",
        retry_after_seconds=wait,
        limit=admission.refused_by,
    )


def policy_headers(tier: Tier) -> dict[str, str]:
    """Return the policy of each limit that the tier has, as draft-ietf-httpapi-ratelimit-headers-10 (2025-09) says it.

    q is the quota of w seconds; that of runs at once has no window, and its unit is said by qu.
    """
    policies = [
        f'"{name}";q={quota};w={_WINDOW_SECONDS}'
        for name, quota in (
            (LimitName.REQUESTS, tier.requests_per_minute),
            (LimitName.TOKENS, tier.tokens_per_minute),
        )
        if quota is not None
    ]
    if tier.concurrent_runs is not None:
        policies.append(f'"{LimitName.CONCURRENCY}";q={tier.concurrent_runs};qu="concurrent-requests"')
    return {"RateLimit-Policy": ", ".join(policies)} if policies else {}


def limit_headers(left: Iterable[Left]) -> dict[str, str]:
    """Return what is left of each limit: r units, and t seconds until there is one where there is none."""
    fields = [f'"{each.limit}";r={each.remaining};t={retry_after(each.seconds)}' for each in left]
    return {"RateLimit": ", ".join(fields)} if fields else {}


def retry_after(seconds: float) -> int:
    """Return the whole seconds of a Retry-After header: rounded up, so that a client that obeys is admitted."""
    return math.ceil(seconds)
