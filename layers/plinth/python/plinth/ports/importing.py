"""A batch import on its way: its row, the files that wait for it, and who waits for the bucket's events."""

from collections.abc import Sequence
from typing import Protocol

from plinth.contracts.importing import Batch, ImportedFile, ImportFailure, ImportRecord, ImportState
from plinth.contracts.memory import Upload
from plinth.contracts.tenant import Tenant


class Imports(Protocol):
    """The rows of imports. One whose time is over and that nobody closed counts as stopped."""

    def prepare(self, tenant: Tenant, record: ImportRecord) -> ImportRecord:
        """Write the import down, unless it is running; return it as it then is."""
        ...

    def begin(self, tenant: Tenant, import_id: str) -> Batch | None:
        """Return the next attempt, with its counts at 0; None where one is running. `NotFoundError` if absent."""
        ...

    def note(self, batch: Batch, document_id: str, failure: ImportFailure | None) -> None:
        """Count the document once, as ready or as failed; a repeated note has no effect."""
        ...

    def close(self, batch: Batch, state: ImportState) -> None:
        """End this attempt."""
        ...

    def get(self, tenant: Tenant, import_id: str) -> ImportRecord:
        """Return the import, or raise `NotFoundError`."""
        ...

    def await_event(self, tenant: Tenant, document_id: str, *, task_token: str) -> None:
        """Leave word who waits for the event of the object that is about to be placed."""
        ...

    def awaited(self, tenant: Tenant, document_id: str) -> str | None:
        """Return the token that was left last, whether or not anybody still waits."""
        ...


class StagedFiles(Protocol):
    """Files by their hash, and manifests, in a place that expires by itself."""

    def put_manifest(self, tenant: Tenant, import_id: str, files: Sequence[ImportedFile]) -> None:
        """Store the list of files."""
        ...

    def manifest(self, tenant: Tenant, import_id: str) -> list[ImportedFile]:
        """Return the list of files, or raise `NotFoundError`."""
        ...

    def manifest_key(self, tenant: Tenant, import_id: str) -> str:
        """Return where the machine finds the list."""
        ...

    def missing(self, tenant: Tenant, files: Sequence[ImportedFile]) -> list[ImportedFile]:
        """Return those files whose bytes are not there, each hash once."""
        ...

    def upload(self, tenant: Tenant, file: ImportedFile) -> Upload:
        """Return what takes one PUT of exactly these bytes."""
        ...

    def place(self, tenant: Tenant, file: ImportedFile) -> None:
        """Put the file into the bucket of documents; `DocumentRefusedError` (`not_uploaded`) where it is not there."""
        ...
