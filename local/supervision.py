"""What the supervisor and those who ask it agree on: which processes are wanted, how they fare, who holds the lock.

A supervisor is alive exactly while it holds the lock on its pid file, so a stale pid is never trusted.
"""

import fcntl
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from local.processes import LocalProcessError

_POLL_SECONDS = 0.05


class LockHeldError(LocalProcessError):
    """Another process holds the lock."""


class Phase(StrEnum):
    """How a process fares: RUNNING answered its health check; ENDED is gone, on its own or for being too late."""

    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedProcess:
    """A process to keep: it is healthy when `health_url` answers 200 within `start_seconds`."""

    name: str
    argv: tuple[str, ...]
    env: dict[str, str]
    health_url: str
    log: str
    start_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """All processes to keep, in starting order. A new `request` starts again those that ended."""

    request: str
    processes: tuple[WantedProcess, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessReport:
    """One process as the supervisor sees it; `message` says why it ended."""

    name: str
    pid: int
    phase: Phase
    log: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All processes, as of the request."""

    request: str
    processes: tuple[ProcessReport, ...]


def wanted_file(home: Path) -> Path:
    """Where `Wanted` is kept."""
    return home / "processes.json"


def report_file(home: Path) -> Path:
    """Where `Report` is kept."""
    return home / "supervisor.json"


def pid_file(home: Path) -> Path:
    """Where the supervisor keeps its pid, locked."""
    return home / "supervisor.pid"


@contextmanager
def hold(path: Path, *, patience_seconds: float = 1.0) -> Generator[None]:
    """Hold the lock of a pid file, with this process's pid in it; raise LockHeldError if another keeps it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        deadline = time.monotonic() + patience_seconds
        while not _locked(file.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise LockHeldError(f"another process holds {path}: it has pid {_pid_in(path)}")
            time.sleep(_POLL_SECONDS)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


def holder(path: Path) -> int | None:
    """Return the pid of the process that holds the lock, or None where nobody does."""
    if not path.exists():
        return None
    with path.open() as file:
        return None if _locked(file.fileno(), fcntl.LOCK_SH) else _pid_in(path)


def wait_until(condition: Callable[[], bool], *, timeout_seconds: float) -> bool:
    """Return whether the condition came true in time."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _locked(descriptor: int, mode: int) -> bool:
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid_in(path: Path) -> int | None:
    text = path.read_text()
    return int(text) if text.isdigit() else None
