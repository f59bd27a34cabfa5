"""What a tenant's users used, day by day."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDay:
    """Some of what a user's runs that ended on this UTC day (YYYY-MM-DD) used; `amounts` by the names of money.usage.

    A user's day may come in several parts, which add up.
    """

    day: str
    user: str
    amounts: Mapping[str, int]
