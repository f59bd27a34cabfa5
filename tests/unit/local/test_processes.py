"""How local processes start, fail to start, and end."""

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from local.processes import (
    LOOPBACK,
    Child,
    LocalProcessError,
    PortBusyError,
    free_port,
    require_free_port,
    start,
    stop,
    wait_healthy,
)

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def run(source: str, folder: Path) -> Child:
    return start("engine", [sys.executable, "-c", source], env={}, log_path=folder / "logs" / "engine.log")


def wait_for(text: str, log: Path) -> None:
    deadline = time.monotonic() + 5
    while text not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def test_a_busy_port_is_named_with_its_holder_and_the_remedy() -> None:
    """A newcomer must know what to stop or what to set."""
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortBusyError, match=rf"127.0.0.1:{port}: process {os.getpid()} \(.*PLINTH_PORT") as caught:
            require_free_port(port, "the edge")
    assert "the edge" in str(caught.value)


def test_a_free_port_is_not_refused() -> None:
    """Also right after its last listener has gone."""
    port = free_port()
    socket.create_server((LOOPBACK, port)).close()
    require_free_port(port, "the edge")


def test_a_child_that_dies_while_starting_is_reported_with_its_code_and_the_end_of_its_log(tmp_path: Path) -> None:
    """Without waiting for the timeout."""
    child = run("print('no such model'); raise SystemExit(3)", tmp_path)
    with pytest.raises(LocalProcessError, match="engine ended with code 3 while starting") as caught:
        wait_healthy(f"http://{LOOPBACK}:{free_port()}/health", child, 30)
    assert "no such model" in str(caught.value)


def test_a_child_that_never_answers_is_reported_when_the_time_is_over(tmp_path: Path) -> None:
    """And is left running for the caller to stop."""
    child = run("import time; time.sleep(60)", tmp_path)
    with pytest.raises(LocalProcessError, match=r"not healthy at .*/health within 0.2 s"):
        wait_healthy(f"http://{LOOPBACK}:{free_port()}/health", child, 0.2)
    stop([child])


def test_a_child_that_answers_is_healthy(tmp_path: Path) -> None:
    """The first 200 is enough."""
    port = free_port()
    argv = [sys.executable, "-m", "http.server", str(port), "--bind", LOOPBACK, "--directory", str(tmp_path)]
    child = start("files", argv, env={}, log_path=tmp_path / "files.log")
    wait_healthy(f"http://{LOOPBACK}:{port}/", child, 10)
    stop([child])


def test_children_stop_in_order_and_the_stubborn_are_killed(tmp_path: Path) -> None:
    """SIGTERM first, so that state is saved; SIGKILL after the grace."""
    stubborn = run(STUBBORN, tmp_path)
    meek = run("import time; time.sleep(60)", tmp_path)
    wait_for("up", stubborn.log_path)
    stop([stubborn, meek], grace_seconds=0.3)
    assert (stubborn.process.returncode, meek.process.returncode) == (-signal.SIGKILL, -signal.SIGTERM)


def test_the_environment_of_a_child_is_what_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the host's leaks into the stack."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    child = run("import os; print(sorted(os.environ))", tmp_path)
    child.process.wait()
    assert "AWS_PROFILE" not in child.log_path.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    """Even when the parent is killed and can stop nothing."""
    grandchild = """
import time
from local.processes import die_with_parent
die_with_parent()
print('up', flush=True)
time.sleep(60)
"""
    log = tmp_path / "grandchild.log"
    parent = run(
        f"""
import pathlib, sys, time
from local.processes import start
child = start("grandchild", [sys.executable, "-c", {grandchild!r}], env={{}}, log_path=pathlib.Path({str(log)!r}))
print(child.process.pid, flush=True)
time.sleep(60)
""",
        tmp_path,
    )
    wait_for("\n", parent.log_path)
    wait_for("up", log)
    pid = int(parent.log_path.read_text())
    parent.process.kill()
    parent.process.wait()
    deadline = time.monotonic() + 5
    while is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)
