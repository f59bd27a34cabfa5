"""What a limit says: which one, what is left of it, and when a refused run may come again."""

from dataclasses import dataclass
from enum import StrEnum


class LimitName(StrEnum):
    """What a tenant's tier may limit; `OVERLOAD` is the environment's own limit, shared by all of its tenants."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    CONCURRENCY = "concurrency"
    OVERLOAD = "overload"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left of a limit: requests, tokens or places for runs; where that is 0, the seconds until there is one."""

    limit: LimitName
    remaining: int
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Whether a run may start. `refused_by` is None when it may; else it may come again after `retry_after_seconds`.

    That time is exact of requests and tokens. A place for a run may be free at any moment: there it is a guess.
    """

    left: tuple[Left, ...] = ()
    refused_by: LimitName | None = None
    retry_after_seconds: float = 0.0

    @property
    def admitted(self) -> bool:
        """Whether every limit admitted the run."""
        return self.refused_by is None
