"""How many files become documents: hashed, announced, uploaded side by side where they are missing, and followed."""

import hashlib
import mimetypes
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from unicodedata import category

from client.api import PlinthApi
from client.errors import ClientError
from client.import_requests import FilesToImport
from client.records import MissingFile
from client.uploading import SourceFile, patiently
from plinth.contracts.importing import ImportedFile, ImportFailure, ImportRecord, ImportState

MOST_FILES = 2_000
"""Of one import, as the API takes them."""
MOST_BYTES = 50 * 1024 * 1024
_NO_LETTERS = ("Cc", "Cs")
_UPLOADS_AT_ONCE = 8
_POLL_SECONDS = 1.0

Told = Callable[[str, int], None]
"""Takes what goes on (`uploading`, `reading and indexing`) and how many more files that was done for."""


class ImportStuckError(ClientError):
    """An import made no progress for longer than the caller would wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What marks every document, which share of failures stops an import, how long to wait for progress.

    A `context_model` writes contexts of all passages; in all lots they may cost `max_context_cost_micro_usd` at most.
    """

    metadata: dict[str, str] = field(default_factory=dict[str, str])
    context_model: str | None = None
    max_context_cost_micro_usd: int | None = None
    tolerated_failure_percentage: int = 100
    wait: bool = True
    patience_seconds: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A file with what is announced of it."""

    path: Path
    file: ImportedFile


def listed(file: SourceFile) -> Listed | ImportFailure:
    """Return the file as it is announced, or why it can't be imported."""
    if any(category(letter) in _NO_LETTERS for letter in file.name):
        told = file.name.encode(errors="replace").decode()
        return ImportFailure(name=told, reason="bad_name", message="the name is not UTF-8, or not printable: rename it")
    try:
        size = file.path.stat().st_size
        body = file.path.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        return ImportFailure(name=file.name, reason="unreadable", message=f"the file can't be read: {error.strerror}")
    if size > MOST_BYTES:
        message = f"the file has {size} bytes: split it into files of at most {MOST_BYTES}"
        return ImportFailure(name=file.name, reason="too_large", message=message)
    if not body:
        return ImportFailure(name=file.name, reason="empty", message="the file is empty")
    announced = ImportedFile(
        name=file.name,
        sha256=hashlib.sha256(body).hexdigest(),
        size_bytes=len(body),
        content_type=mimetypes.guess_type(file.name)[0] or "application/octet-stream",
    )
    return Listed(path=file.path, file=announced)


def import_files(api: PlinthApi, files: Sequence[Listed], options: ImportOptions, *, told: Told) -> ImportRecord:
    """Import the files and return how that ended; one that runs already for the same files is followed to its end.

    Raises `ImportStuckError` where nothing happens for too long. An interruption loses nothing: what was uploaded is
    there for two days, and what runs goes on.
    """
    record = patiently(partial(api.create_import, asked_for(files, options)))
    told("uploading", record.unchanged)
    told("reading and indexing", record.unchanged)
    if record.state is not ImportState.RUNNING and record.unchanged < record.files:
        _upload(api, record.import_id, {each.file.sha256: each.path for each in files}, told)
    if record.unchanged < record.files:
        record = patiently(partial(api.start_import, record.import_id))
    return _followed(api, record, options, told) if options.wait else record


def asked_for(files: Sequence[Listed], options: ImportOptions) -> FilesToImport:
    """Return what is announced of these files."""
    return FilesToImport(
        files=[each.file for each in files],
        metadata=options.metadata,
        tolerated_failure_percentage=options.tolerated_failure_percentage,
        context_model=options.context_model,
        max_context_cost_micro_usd=options.max_context_cost_micro_usd,
    )


def _upload(api: PlinthApi, import_id: str, paths: dict[str, Path], told: Told) -> None:
    with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as pool:
        for missing in _missing(api, import_id):
            sent = [pool.submit(api.upload, each.upload, paths[each.sha256]) for each in missing]
            for each in sent:
                each.result()
                told("uploading", 1)


def _missing(api: PlinthApi, import_id: str) -> Iterator[Sequence[MissingFile]]:
    while missing := patiently(partial(api.import_uploads, import_id)):
        yield missing


def _followed(api: PlinthApi, record: ImportRecord, options: ImportOptions, told: Told) -> ImportRecord:
    done, moved_at = 0, time.monotonic()
    while True:
        now = record.ready + record.failed
        if now > done:
            told("reading and indexing", now - done)
            done, moved_at = now, time.monotonic()
        if record.state is not ImportState.RUNNING:
            return record
        if time.monotonic() - moved_at > options.patience_seconds:
            raise ImportStuckError(
                f"import {record.import_id} made no progress for {options.patience_seconds:g} s: see `plinth logs`"
            )
        time.sleep(_POLL_SECONDS)
        record = patiently(partial(api.get_import, record.import_id))
