"""Erasures on their way, the stores that they go through, and who signs their receipts."""

from typing import Protocol

from plinth.contracts.erasing import ErasedPage, Erasure, SignedReceipt, Target


class Erasures(Protocol):
    """The rows of erasures. One row is one job; its writes are fenced by `turn`."""

    def begin(self, erasure: Erasure) -> Erasure:
        """Write the erasure down and hide its tenant or user, at once; return it, or the one that hides them already.

        `NotFoundError` for a tenant that does not exist.
        """
        ...

    def get(self, erasure_id: str) -> Erasure:
        """Return the erasure, or raise `NotFoundError`."""
        ...

    def advance(self, erasure: Erasure) -> Erasure:
        """Write how far it has come, if nobody else has since it was read; return it as it stands now.

        `StoreUnavailableError` where somebody has.
        """
        ...

    def end(self, erasure: Erasure) -> None:
        """Write how it ended, without the names of its target, and show the user again, of whom nothing is left."""
        ...


class ErasableStore(Protocol):
    """A store of tenants' content, a page at a time. `name` is that of its row in the registry of stores."""

    @property
    def name(self) -> str:
        """Name the store."""
        ...

    def erase(self, target: Target, after: str | None) -> ErasedPage:
        """Remove what belongs to the target from the page behind `after`; what is gone already counts as nothing."""
        ...


class ReceiptSigner(Protocol):
    """Signs receipts, so that who keeps one can prove that it came from here."""

    def sign(self, document: str) -> SignedReceipt:
        """Return the document with its signature."""
        ...


class FailedErasures(Protocol):
    """Who is told of erasures that could not be finished."""

    def send(self, erasure_id: str, *, error: str) -> None:
        """Tell of one, by its id and the name of the error."""
        ...
