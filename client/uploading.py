"""Which files an ingest takes, under which names, and when each is done: searchable, or refused with a reason."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from client.api import PlinthApi
from client.errors import ApiError, ClientError, UsageError
from plinth.contracts.memory import DocumentRecord, DocumentState

_POLL_SECONDS = 1.0
_LIMITED, _UNAVAILABLE = 429, 503
_MOST_FAILURES, _PAUSE_SECONDS = 5, 2.0
_Result = TypeVar("_Result")


class IngestTimeoutError(ClientError):
    """Some documents were neither ready nor refused in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file and the name that its document gets."""

    path: Path
    name: str


def source_files(paths: Sequence[Path]) -> list[SourceFile]:
    """Return the files to ingest: a file under its own name, those of a folder under their path within it.

    Hidden files and folders are left out. Raises UsageError for a path that is not there or can't be
    listed, and if nothing is left.
    """
    found = [file for path in paths for file in _of(path)]
    if not found:
        raise UsageError(f"there is no file in {', '.join(map(str, paths))}")
    return found


def _of(path: Path) -> Iterator[SourceFile]:
    if path.is_file():
        yield SourceFile(path=path, name=path.name)
    elif path.is_dir():
        for file in sorted(_below(path)):
            yield SourceFile(path=file, name=file.relative_to(path).as_posix())
    else:
        raise UsageError(f"{path} is no file and no folder")


def _below(path: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(path, onerror=_refuse):
        folders[:] = (each for each in folders if not each.startswith("."))
        found = (Path(folder, each) for each in names if not each.startswith("."))
        yield from (each for each in found if each.is_file())


def _refuse(error: OSError) -> NoReturn:
    raise UsageError(f"{error.filename} can't be read ({error.strerror}): give leave, or name other files") from error


def patiently(
    call: Callable[[], _Result], *, repeatable: bool = True, pause: Callable[[float], None] = time.sleep
) -> _Result:
    """Return what the call returns, waiting out the request limit as long as the API says for how long.

    What does not answer is asked a few times, if the call is `repeatable`: it may have taken effect.
    """
    failures, most = 0, _MOST_FAILURES if repeatable else 0
    while True:
        try:
            return call()
        except ApiError as error:
            failures += error.status == _UNAVAILABLE
            wait_seconds = _PAUSE_SECONDS if error.status == _UNAVAILABLE else error.retry_after_seconds
            if error.status not in (_LIMITED, _UNAVAILABLE) or wait_seconds is None or failures > most:
                raise
            pause(wait_seconds)


def wait_for_documents(
    api: PlinthApi,
    uploaded: Sequence[DocumentRecord],
    *,
    timeout_seconds: float,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[DocumentRecord]:
    """Yield each document once this upload of it is ready or refused; IngestTimeoutError names those that are late."""
    waiting = {each.document_id: each for each in uploaded}
    deadline = time.monotonic() + timeout_seconds
    while waiting:
        for now in patiently(lambda: list(api.documents()), pause=pause):
            if now.document_id in waiting and _is_done(waiting[now.document_id], now):
                del waiting[now.document_id]
                yield now
        if waiting and time.monotonic() > deadline:
            late = ", ".join(each.name for each in list(waiting.values())[:5])
            raise IngestTimeoutError(
                f"{len(waiting)} documents were not done after {timeout_seconds:g} s ({late}): see `plinth logs`"
            )
        if waiting:
            pause(_POLL_SECONDS)


def _is_done(before: DocumentRecord, now: DocumentRecord) -> bool:
    """Tell whether this upload has been dealt with: an earlier version of the document may still be the ready one."""
    if now.state == DocumentState.READY:
        return now.generation != before.generation
    return now.state == DocumentState.REFUSED and (
        before.state != DocumentState.REFUSED or now.updated_at > before.updated_at
    )
