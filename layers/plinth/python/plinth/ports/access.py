"""Who may call and how much: keys, tiers and limits."""

from collections.abc import Iterable
from typing import Protocol

from plinth.contracts.access import KeyRecord, Standing, Tier
from plinth.contracts.limits import Admission, Left
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant


class Tenants(Protocol):
    """Keys, tenants and tiers."""

    def key(self, key_id: str) -> KeyRecord | None:
        """Return the key, or None."""
        ...

    def standing(self, tenant: Tenant) -> Standing:
        """Return how the tenant stands; `UnauthenticatedError` for one that was removed or is being erased."""
        ...


class TenantList(Protocol):
    """The tenants that there are."""

    def all(self) -> Iterable[Tenant]:
        """Return every tenant, in no order."""
        ...


class Limits(Protocol):
    """What a tenant's runs may take at once: requests exactly, tokens by estimate, places for running runs."""

    def admit(self, run: Run, tier: Tier, *, tokens: int, holds: bool = True) -> Admission:
        """Take a request, the estimated `tokens` and a place for the run, or nothing of any and say which refused.

        A run that `holds` no place ends as it begins, and needs no `ended`.
        """
        ...

    def ended(self, run: Run, *, used_tokens: int | None) -> None:
        """Give the run's place back and count the tokens that it used (None: as estimated), once. Never raises."""
        ...

    def prolong(self, run: Run) -> None:
        """Let the run keep the place that it has until its deadline, which has moved. Never raises."""
        ...

    def left(self, tenant: Tenant, tier: Tier) -> tuple[Left, ...]:
        """Return what is left of each limit that the tier has; for showing, since only `admit` decides."""
        ...
