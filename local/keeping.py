"""How the supervisor is started, asked for processes, and stopped, from outside of it."""

import contextlib
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.places import host_variables
from local.processes import LocalProcessError
from local.records import read, write
from local.supervision import (
    Phase,
    ProcessReport,
    Report,
    Wanted,
    WantedProcess,
    holder,
    pid_file,
    report_file,
    wait_until,
    wanted_file,
)

_START_SECONDS = 15.0
_STOP_SECONDS = 120.0
_POLL_SECONDS = 0.05


class SupervisorError(LocalProcessError):
    """The supervisor did not start, or ended; the message says where its log is."""


def supervisor_pid(home: Path) -> int | None:
    """Return the pid of the living supervisor of this home, or None."""
    return holder(pid_file(home))


def start_supervisor(home: Path) -> None:
    """Start a supervisor in a session of its own, so that it outlives this command and hears no Ctrl-C."""
    log = home / "logs" / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    wanted_file(home).unlink(missing_ok=True)
    report_file(home).unlink(missing_ok=True)
    append = (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-m", "local.supervisor", "--home", str(home)],
        host_variables(),
        file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), append, (os.POSIX_SPAWN_DUP2, 1, 2)],
        setsid=True,
    )
    if not wait_until(lambda: supervisor_pid(home) is not None, timeout_seconds=_START_SECONDS):
        raise SupervisorError(f"the supervisor did not start within {_START_SECONDS:g} s: see {log}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the supervisor was asked for, and the pids of what ran before."""

    wanted: Wanted
    running: frozenset[int]


def ask_for(home: Path, processes: Sequence[WantedProcess]) -> Request:
    """Ask the supervisor for these processes and no others; `wait_for` takes what this returns."""
    running = frozenset(each.pid for each in reports(home) if each.phase is Phase.RUNNING)
    wanted = Wanted(request=uuid.uuid4().hex, processes=tuple(processes))
    write(wanted_file(home), wanted)
    return Request(wanted=wanted, running=running)


def wait_for(home: Path, request: Request, *, progress: Callable[[str], None]) -> None:
    """Return once every process asked for is healthy; raise LocalProcessError, with its log's end, if one is not."""
    healthy: set[str] = set()
    while len(healthy) < len(request.wanted.processes):
        if supervisor_pid(home) is None:
            raise SupervisorError(f"the supervisor ended: see {home / 'logs' / 'supervisor.log'}")
        for each in reports(home, request.wanted.request):
            if each.phase is Phase.ENDED:
                raise LocalProcessError(f"{each.name} could not be started: {each.message}")
            if each.phase is Phase.RUNNING and each.name not in healthy:
                healthy.add(each.name)
                if each.pid not in request.running:
                    progress(f"{each.name} is running")
        time.sleep(_POLL_SECONDS)


def reports(home: Path, request: str | None = None) -> tuple[ProcessReport, ...]:
    """Return how each process fares; with a request, nothing until the supervisor has taken it up."""
    report = read(report_file(home), Report)
    if report is None or (request is not None and report.request != request):
        return ()
    return report.processes


def stop_supervisor(home: Path) -> bool:
    """Stop the supervisor with all its processes and return True, or False where there is none.

    Raises SupervisorError if it is still there after two minutes.
    """
    pid = supervisor_pid(home)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    if not wait_until(lambda: supervisor_pid(home) is None, timeout_seconds=_STOP_SECONDS):
        raise SupervisorError(f"process {pid} did not stop within {_STOP_SECONDS:g} s: `kill -9 {pid}` ends it")
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    return True
