"""What is worth remembering of a user across conversations."""

from collections.abc import Sequence
from typing import Protocol

from plinth.contracts.conversations import Fact
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from plinth.ports.documents import Vector


class Facts(Protocol):
    """Facts per tenant and user, at most `MAX_FACTS` of one: of more, the oldest give way."""

    def keep(
        self, run: Run, user: str, text: str, *, documents: Sequence[str] = (), labels: Sequence[str] = ()
    ) -> Fact:
        """Remember the text, cut at `MAX_FACT_CHARACTERS`, as long as the run; what is known already is renewed.

        `documents` are the ids of those whose text the run had before it, `labels` those that its asker holds.
        `ValueError` for a text without a word.
        """
        ...

    def all(self, tenant: Tenant, user: str) -> list[Fact]:
        """Return the user's facts, the newest first."""
        ...

    def nearest(self, tenant: Tenant, user: str, vector: Vector, *, limit: int) -> list[Fact]:
        """Return the user's facts that are nearest to the vector in meaning, the nearest first."""
        ...

    def erase(self, tenant: Tenant, user: str, fact_id: str) -> None:
        """Remove one fact; `NotFoundError` where the user has none of that id."""
        ...
