"""How the local processes start, prove healthy, stop in order, and never outlive the one that started them."""

import ctypes
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
_PARENT_VARIABLE = "PLINTH_PARENT_PID"
_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.05
_LOG_LINES_SHOWN = 15
_LISTENING = "0A"


class LocalProcessError(RuntimeError):
    """A local process could not be started; the message says which, why and what to do."""


class PortBusyError(LocalProcessError):
    """The port a local process needs is held by another process."""


@dataclass(frozen=True)
class Child:
    """A process started by `start`, with the file that its output goes to."""

    name: str
    process: subprocess.Popen[bytes]
    log_path: Path


def die_with_parent() -> None:
    """Ask Linux to send this process SIGTERM when its parent's starting thread ends (prctl(2), PR_SET_PDEATHSIG).

    Called by the child. Does nothing off Linux. Start children from a thread that lives as long as they should.
    """
    if not hasattr(signal, "pidfd_send_signal"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.environ.get(_PARENT_VARIABLE, str(os.getppid())) != str(os.getppid()):
        raise SystemExit("the process that started this one is already gone")


def free_port() -> int:
    """Return a loopback TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def require_free_port(port: int, name: str) -> None:
    """Raise PortBusyError, naming the port, its holder and the remedy, unless `name` can listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise PortBusyError(
                f"{name} cannot listen on {LOOPBACK}:{port}: {_holder(port)} holds that port. "
                "Stop that process, or set PLINTH_PORT to the first of four free ports."
            ) from error


def start(name: str, argv: Sequence[str], *, env: Mapping[str, str], log_path: Path) -> Child:
    """Start a process in a session of its own, so that Ctrl-C reaches only the starter; output is appended to the log.

    The environment is exactly `env` plus the mark that `die_with_parent` reads.
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            list(argv),
            env={**env, _PARENT_VARIABLE: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return Child(name=name, process=process, log_path=log_path)


def wait_healthy(url: str, child: Child, timeout_seconds: float) -> None:
    """Return once `url` answers 200; raise LocalProcessError with the end of the log if the child dies or is late."""
    deadline = time.monotonic() + timeout_seconds
    while not _answers(url):
        if child.process.poll() is not None:
            raise LocalProcessError(
                f"{child.name} ended with code {child.process.returncode} while starting.\n{_log_end(child.log_path)}"
            )
        if time.monotonic() > deadline:
            raise LocalProcessError(
                f"{child.name} was not healthy at {url} within {timeout_seconds:g} s.\n{_log_end(child.log_path)}"
            )
        time.sleep(_POLL_SECONDS)


def stop(children: Iterable[Child], *, grace_seconds: float = 10.0) -> None:
    """Stop each child in the order given: SIGTERM, then SIGKILL if it is still there after the grace."""
    for child in children:
        if child.process.poll() is None:
            child.process.terminate()
        try:
            child.process.wait(timeout=grace_seconds)
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or LOOPBACK, parts.port, timeout=2)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _log_end(log_path: Path) -> str:
    lines = log_path.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
    return "\n".join([f"The end of {log_path}:", *lines])


def _holder(port: int) -> str:
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            found = str(link.readlink()) in sockets
            command = (link.parents[1] / "cmdline").read_bytes() if found else b""
        except OSError:
            continue
        if found:
            return f"process {link.parts[2]} ({command.replace(bytes(1), b' ').decode(errors='replace').strip()[:120]})"
    return "a process of another user"


def _listening_inodes(port: int) -> set[str]:
    inodes: set[str] = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        rows = table.read_text().splitlines()[1:] if table.exists() else []
        fields = [row.split() for row in rows]
        inodes |= {row[9] for row in fields if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port}
    return inodes
