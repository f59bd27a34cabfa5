"""Who may do what: stored keys and tiers."""

import re
from dataclasses import dataclass
from enum import StrEnum

from plinth.contracts.tenant import Tenant

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,63}")
"""An access label, such as `team:payroll`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A stored API key: only the SHA-256 (hex) of its secret. `expires_at` is in Unix seconds.

    `labels` are access labels that it holds: with them it may read passages that are not for everyone.
    """

    tenant: Tenant
    user: str
    secret_sha256: str
    scopes: tuple[str, ...]
    expires_at: float | None = None
    labels: tuple[str, ...] = ()


class CachePolicy(StrEnum):
    """Which earlier answers may be given again: none, that of the same question, or that of one worded otherwise."""

    OFF = "off"
    EXACT = "exact"
    SEMANTIC = "semantic"


class ContentPolicy(StrEnum):
    """What can be read back of a run's contents, which its steps hand to one another: nothing, masked text, or all.

    With NOTHING they expire an hour after the run's deadline, its answer apart.
    """

    NOTHING = "nothing"
    REDACTED = "redacted"
    FULL = "full"


class Priority(StrEnum):
    """Who is still served when an environment is nearly full."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What may be spent on models in a calendar day and month of UTC, in micro-dollars; None is unlimited."""

    day_micro_usd: int | None = None
    month_micro_usd: int | None = None


UNLIMITED = Allowance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """What a tenant may spend in all, and each of its users and keys.

    `revision` is when this was decided, in milliseconds of Unix time: the latest decision counts.
    """

    tenant: Allowance = UNLIMITED
    user: Allowance = UNLIMITED
    key: Allowance = UNLIMITED
    revision: int = 0


NO_BUDGETS = Allowances()


MAX_TURNS = 30
"""Turns of a model in one run, whatever its tier allows: 90 calls, of which each has a row in the ledger of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """What a tenant may use: its models and tools, the longest output in tokens, and its limits (None is unlimited).

    `burst` requests may come at once, and a minute's tokens. `concurrent_runs` are runs that have not ended. A run may
    take `deadline_seconds` and ask its model `max_turns` times. What it leaves behind is kept for `retention_days`,
    turns and facts for `conversation_days` (None is as long); what can be read of it is for `contents` to say.
    `summary_model` sums up the older turns of conversations; without one they are told in a line each.
    `labels` are access labels that every key of the tenant holds. Its tools may read pages of `fetch_hosts`, its
    answers may link to `link_hosts` (`plinth.contracts.hosts` reads both).
    """

    name: str
    models: tuple[str, ...]
    max_output_tokens: int
    requests_per_minute: int | None = None
    burst: int = 1
    tokens_per_minute: int | None = None
    concurrent_runs: int | None = None
    priority: Priority = Priority.NORMAL
    cache: CachePolicy = CachePolicy.EXACT
    budgets: Allowances = NO_BUDGETS
    tools: tuple[str, ...] = ()
    retention_days: int = 30
    conversation_days: int | None = None
    contents: ContentPolicy = ContentPolicy.REDACTED
    labels: tuple[str, ...] = ()
    fetch_hosts: tuple[str, ...] = ()
    link_hosts: tuple[str, ...] = ()
    deadline_seconds: int = 270
    max_turns: int = 5
    summary_model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a tenant stands: its tier, and the users that are being erased, of whom nothing may be read any more."""

    tier: Tier
    erasing_users: tuple[str, ...] = ()
