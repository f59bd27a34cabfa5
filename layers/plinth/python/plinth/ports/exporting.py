"""Exports on their way, the stores that they are collected from, and the files that they become."""

from collections.abc import Sequence
from typing import Protocol

from plinth.contracts.exporting import Export, ExportedFile, ExportedPage, Subject
from plinth.contracts.tenant import Tenant


class ExportJobs(Protocol):
    """The rows of exports, gone when they expire. One row is one job; its writes are fenced by `turn`."""

    def begin(self, export: Export) -> None:
        """Write the export down."""
        ...

    def get(self, tenant: Tenant, export_id: str) -> Export:
        """Return the tenant's export, or raise `NotFoundError`."""
        ...

    def of(self, tenant: Tenant) -> list[Export]:
        """Return the tenant's exports."""
        ...

    def advance(self, export: Export) -> Export | None:
        """Write how far it has come, if nobody else has since it was read; return it as it stands now.

        None where an erasure took the row, `StoreUnavailableError` where somebody else works on it.
        """
        ...


class ExportableStore(Protocol):
    """A store of tenants' content, a page at a time. `name` is that of its row in the registry of stores."""

    @property
    def name(self) -> str:
        """Name the store."""
        ...

    def export(self, subject: Subject, after: str | None) -> ExportedPage:
        """Return what belongs to the subject in the page behind `after`, without any secret."""
        ...


class ExportFiles(Protocol):
    """Where the files of exports lie, until they expire."""

    def put(self, export: Export, path: str, body: bytes) -> None:
        """Store a file, in place of one that an earlier try wrote under this path."""
        ...

    def note(self, export: Export, files: Sequence[ExportedFile]) -> None:
        """Keep what was written in this turn."""
        ...

    def noted(self, export: Export) -> list[ExportedFile]:
        """Return every file that was noted, by path."""
        ...

    def page(self, export: Export, *, after: str, limit: int) -> list[tuple[str, int]]:
        """Return paths and sizes of at most `limit` files behind `after`, by path."""
        ...

    def link(self, export: Export, path: str) -> str:
        """Return a URL that gets the file within the next minutes, without a key."""
        ...

    def remove(self, export: Export) -> None:
        """Delete every file of the export."""
        ...
