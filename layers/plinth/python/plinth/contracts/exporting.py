"""What an export is: whose data, how far it has come, and which files it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from plinth.contracts.tenant import Tenant

EXPORT_DAYS = 7
"""How long an export can be read."""
DOCUMENT_FOLDERS = ("documents/", "documents_by_id/")
"""Where what was uploaded goes, by name or by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose data is exported: a tenant's, or what belongs to one `user` of it alone."""

    tenant: Tenant
    user: str | None = None


class ExportState(StrEnum):
    """Where an export stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedPage:
    """What a page of a store gives: records by the folder that they go to, and files by their path.

    `names` are those of documents by path, where the path is not made of it. `after` is where the store goes on, None
    at its end.
    """

    records: Mapping[str, Sequence[object]] = field(default_factory=dict[str, Sequence[object]])
    originals: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """A file of an export. `records` are its lines where it is JSON Lines, 0 of a file that was uploaded.

    `name` is the document's, where it is too long to be in the path.
    """

    path: str
    size_bytes: int
    sha256: str
    records: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An export as its row stands, times in Unix seconds. It goes on at `store` behind `after`; `turn` counts writes.

    `records` are counted by folder; `files` are all that were written, `documents` included.
    """

    id: str
    subject: Subject
    state: ExportState
    began_at: float
    expires_at: int
    turn: int = 0
    store: int = 0
    after: str | None = None
    files: int = 0
    records: Mapping[str, int] = field(default_factory=dict[str, int])
    ended_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is in an export: every file but this one, and which stores are not in it, with the reason."""

    id: str
    tenant: str
    user: str | None
    began_at: float
    ended_at: float
    records: Mapping[str, int]
    files: tuple[ExportedFile, ...]
    not_exported: Mapping[str, str]
    format: str = "plinth-export-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportJob:
    """An export as its machine carries it: no name of a person is in an execution's history."""

    id: str
    tenant: Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectDataInput:
    job: ExportJob


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectDataOutput:
    """`done` is false where there is more to collect than one call can."""

    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FailExportInput:
    job: ExportJob


@dataclass(frozen=True, slots=True, kw_only=True)
class FailExportOutput:
    failed: bool
