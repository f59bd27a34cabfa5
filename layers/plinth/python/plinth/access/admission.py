"""Whether a caller may start one more run now, and how the answer's headers say what is left."""

import math

from plinth.access.authentication import Caller
from plinth.contracts.access import Admission, Tier
from plinth.errors import RateLimitedError
from plinth.ports import RateLimiter

_WINDOW_SECONDS = 60


def admit(caller: Caller, rate_limiter: RateLimiter) -> Admission:
    """Take one request from the tenant's allowance and return what the limit said; the caller decides by it."""
    tier = caller.tier
    return rate_limiter.admit(caller.tenant, requests_per_minute=tier.requests_per_minute, burst=tier.burst)


def require_admitted(admission: Admission, tier: Tier) -> None:
    """Raise `RateLimitedError` unless the request was admitted."""
    if not admission.admitted:
        wait = admission.retry_after_seconds
        raise RateLimitedError(
            f"tier {tier.name} allows {tier.requests_per_minute} runs a minute in bursts of {tier.burst}: "
            f"try again in {wait:.3f} s",
            retry_after_seconds=wait,
        )


def limit_headers(tier: Tier, admission: Admission | None) -> dict[str, str]:
    """Return the RateLimit fields: the policy always, what is left where this request was counted.

    The form is that of draft-ietf-httpapi-ratelimit-headers-10 (2025-09): q is the quota of w seconds, r what
    remains, t the seconds until the next one.
    """
    headers = {"RateLimit-Policy": f'"runs";q={tier.requests_per_minute};w={_WINDOW_SECONDS}'}
    if admission is not None:
        seconds = retry_after(admission.retry_after_seconds)
        headers["RateLimit"] = f'"runs";r={admission.remaining};t={seconds}'
    return headers


def retry_after(seconds: float) -> int:
    """Return the whole seconds of a Retry-After header: rounded up, so that a client that obeys is admitted."""
    return math.ceil(seconds)
