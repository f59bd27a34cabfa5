"""A batch import: many files that become documents side by side, and what became of each.

The files lie in the work bucket under their hashes, their list is the manifest, and the import's row counts.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from plinth.contracts.memory import DocumentVersion
from plinth.contracts.tenant import Tenant


class ImportState(StrEnum):
    """Where an import stands. STOPPED: more files failed than it tolerates, or its machine was lost."""

    UPLOADING = "uploading"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedObject:
    """Where a sync finds a file: an object of another bucket, as it was listed.

    `fingerprint` stands for this version of it under the sync's settings.
    """

    sync_id: str
    bucket: str
    key: str
    etag: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """One line of a manifest: a file, by the SHA-256 (hex) of its bytes, and the document that it becomes.

    One that a sync found has a `source` instead of a hash, and its type is the object's own.
    """

    name: str
    sha256: str
    size_bytes: int
    content_type: str
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    source: SyncedObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One run of an import's machine: a start after its end is the next attempt, with counts of its own."""

    tenant: Tenant
    import_id: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFailure:
    """A file that did not become searchable, and why."""

    name: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRecord:
    """An import as the API shows it, times in Unix seconds.

    Of its `files`, `unchanged` ones were searchable already as they are, and the others end as `ready` or `failed`.
    `failures` are the first hundred of this attempt.
    """

    import_id: str
    state: ImportState
    files: int
    unchanged: int
    created_at: float
    ready: int = 0
    failed: int = 0
    attempt: int = 0
    tolerated_failure_percentage: int = 100
    failures: tuple[ImportFailure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceDocumentInput:
    """`task_token` is what the bucket's event, when it comes, is told under."""

    batch: Batch
    file: ImportedFile
    task_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceDocumentOutput:
    """What the function returns, which the machine does not see."""

    placed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceDocumentCallback:
    """What wakes the state: the version that the bucket made, or none where the document is there already."""

    placed: bool
    document: DocumentVersion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteOutcomeInput:
    """`error` and `cause` are what a Catch was given, empty where the document's own row tells how it ended."""

    batch: Batch
    file: ImportedFile
    error: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteOutcomeOutput:
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseImportInput:
    """`error` is what the Catch of the whole batch was given, or empty."""

    batch: Batch
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseImportOutput:
    state: ImportState
