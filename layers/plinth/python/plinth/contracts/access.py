"""Who may do what: stored keys, tiers, and the answer of a limit."""

from dataclasses import dataclass
from enum import StrEnum

from plinth.contracts.tenant import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A stored API key: only the SHA-256 (hex) of its secret. `expires_at` is in Unix seconds."""

    tenant: Tenant
    user: str
    secret_sha256: str
    scopes: tuple[str, ...]
    expires_at: float | None = None


class CachePolicy(StrEnum):
    """Which earlier answers may be given again: none, that of the same question, or that of one worded otherwise."""

    OFF = "off"
    EXACT = "exact"
    SEMANTIC = "semantic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """What a tenant may use: requests per minute with a burst, models, and the longest output in tokens."""

    name: str
    requests_per_minute: int
    burst: int
    models: tuple[str, ...]
    max_output_tokens: int
    cache: CachePolicy = CachePolicy.EXACT


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The answer of a rate limit: `retry_after_seconds` is 0 when admitted; `remaining` is the burst left."""

    admitted: bool
    remaining: int
    retry_after_seconds: float
