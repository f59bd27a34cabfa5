"""A sync: a prefix of a bucket that is not Plinth's own, whose objects are documents of one tenant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from plinth.contracts.importing import ImportFailure
from plinth.contracts.tenant import Tenant

Removal = Literal["keep", "erase"]
"""What becomes of the documents of a sync that is being removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPass:
    """What a pass found and did, times in Unix seconds.

    Of the objects `seen`, `added` and `changed` ones were given to the import, which tells what became of them;
    `removed` documents went. `held_back` deletions wait for permission. `problem` says why nothing could be done.
    `refused` objects can't be documents as they are; `unreadable` are documents (ids) that were refused before.
    """

    at: float
    seen: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    held_back: int = 0
    problem: str = ""
    refused: tuple[ImportFailure, ...] = ()
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """What is synced, when the next pass is due (Unix seconds), and how the last one went.

    `pattern` names the folders below `prefix`, such as `{department}/{year}/`; `metadata` marks every document.
    """

    id: str
    tenant: Tenant
    bucket: str
    prefix: str
    every_seconds: int
    due_at: float
    pattern: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    removal: Removal | None = None
    last: LastPass | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Leave to make as many deletions as were held back when somebody looked (`asked_at`, Unix seconds)."""

    asked_at: float
    deletions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedObject:
    """An object of the source, as a listing tells of it; `modified_at` (Unix seconds) tells a put of the same bytes."""

    key: str
    etag: str
    size_bytes: int
    modified_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFacts:
    """What else an object says: its content type, and its tags and user metadata as they are stored."""

    content_type: str
    tags: Mapping[str, str]
