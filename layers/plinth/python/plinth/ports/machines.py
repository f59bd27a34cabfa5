"""The state machines that Plinth starts."""

from typing import Protocol

from plinth.contracts.erasing import Erasure
from plinth.contracts.exporting import ExportJob
from plinth.contracts.importing import Batch
from plinth.contracts.memory import DocumentVersion
from plinth.contracts.runs import Run


class Machines(Protocol):
    """Starts state machines."""

    def start_answer(self, run: Run, *, again: int = 0, machine: str | None = None) -> None:
        """Start the answer machine for the run's next execution; each other number in `again` starts it once more.

        `machine` is its ARN, told by a step of it: those can't be given what is made after them.
        """
        ...

    def start_ingest(self, document: DocumentVersion) -> None:
        """Start the ingest machine, once per version."""
        ...

    def start_import(self, batch: Batch, *, manifest: str, tolerated: int) -> None:
        """Start the import machine for this attempt; `tolerated` is the percentage of files that may fail."""
        ...

    def start_erase(self, document: DocumentVersion) -> None:
        """Start the erase machine, once per deletion."""
        ...

    def start_forget(self, erasure: Erasure) -> None:
        """Start the machine of an erasure, which goes on where the erasure stands."""
        ...

    def start_export(self, job: ExportJob) -> None:
        """Start the machine of an export, once per export."""
        ...
