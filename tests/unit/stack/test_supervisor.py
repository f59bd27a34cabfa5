"""The supervisor keeps what it is asked for, tells how it fares, and leaves nothing behind."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import keeping
from local.processes import LOOPBACK, LocalProcessError, free_port
from local.supervision import LockHeldError, Phase, WantedProcess, hold, holder, pid_file, wait_until

SERVER = """
import http.server, sys
from local.processes import die_with_parent
die_with_parent()
class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Healthy).serve_forever()
"""


def server(home: Path, name: str) -> WantedProcess:
    port = free_port()
    return WantedProcess(
        name=name,
        argv=(sys.executable, "-c", SERVER, str(port)),
        env=dict(os.environ),
        health_url=f"http://{LOOPBACK}:{port}/",
        log=str(home / "logs" / f"{name}.log"),
        start_seconds=20.0,
    )


def broken(home: Path) -> WantedProcess:
    return WantedProcess(
        name="broken",
        argv=(sys.executable, "-c", "raise SystemExit('no such model')"),
        env=dict(os.environ),
        health_url=f"http://{LOOPBACK}:{free_port()}/",
        log=str(home / "logs" / "broken.log"),
        start_seconds=20.0,
    )


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pids(home: Path) -> dict[str, int]:
    return {each.name: each.pid for each in keeping.reports(home)}


def bring_up(home: Path, *wanted: WantedProcess) -> None:
    keeping.wait_for(home, keeping.ask_for(home, wanted), progress=lambda _: None)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    keeping.start_supervisor(tmp_path)
    yield tmp_path
    keeping.stop_supervisor(tmp_path)


def test_what_is_asked_for_runs_until_the_stop_and_no_longer(home: Path) -> None:
    bring_up(home, server(home, "one"), server(home, "two"))
    running = pids(home)
    assert all(is_alive(pid) for pid in running.values())

    assert keeping.stop_supervisor(home)

    assert not any(is_alive(pid) for pid in running.values())
    assert keeping.supervisor_pid(home) is None
    assert not keeping.stop_supervisor(home)


def test_the_folder_it_is_started_from_lends_it_no_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)

    keeping.start_supervisor(tmp_path)

    assert keeping.stop_supervisor(tmp_path)


def test_asking_again_restarts_only_what_has_changed(home: Path) -> None:
    kept, old, new = server(home, "kept"), server(home, "moved"), server(home, "moved")
    bring_up(home, kept, old)
    before = pids(home)

    bring_up(home, kept, new)

    assert pids(home)["kept"] == before["kept"]
    assert pids(home)["moved"] != before["moved"]
    assert not is_alive(before["moved"])


def test_a_process_that_is_no_longer_wanted_is_stopped(home: Path) -> None:
    one, two = server(home, "one"), server(home, "two")
    bring_up(home, one, two)
    gone = pids(home)["two"]

    bring_up(home, one)

    assert set(pids(home)) == {"one"}
    assert not is_alive(gone)


def test_a_process_that_cannot_start_is_told_with_the_end_of_its_log(home: Path) -> None:
    with pytest.raises(LocalProcessError, match=r"(?s)broken could not be started.*no such model"):
        bring_up(home, broken(home))


def test_a_crash_is_reported_and_asking_again_mends_it(home: Path) -> None:
    one = server(home, "one")
    bring_up(home, one)
    crashed = pids(home)["one"]

    os.kill(crashed, signal.SIGKILL)

    assert wait_until(lambda: keeping.reports(home)[0].phase is Phase.ENDED, timeout_seconds=10)
    assert "code -9" in keeping.reports(home)[0].message
    bring_up(home, one)
    assert pids(home)["one"] != crashed


def test_children_die_with_a_supervisor_that_is_killed(home: Path) -> None:
    bring_up(home, server(home, "one"))
    child, supervisor = pids(home)["one"], keeping.supervisor_pid(home)
    assert supervisor is not None

    os.kill(supervisor, signal.SIGKILL)
    os.waitpid(supervisor, 0)

    assert wait_until(lambda: not is_alive(child), timeout_seconds=10)
    assert keeping.supervisor_pid(home) is None


def test_a_stale_pid_is_never_trusted(tmp_path: Path) -> None:
    pid_file(tmp_path).write_text(str(os.getpid()))

    assert keeping.supervisor_pid(tmp_path) is None
    assert not keeping.stop_supervisor(tmp_path)


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    path = tmp_path / "x.pid"

    with hold(path):
        assert holder(path) == os.getpid()
        with pytest.raises(LockHeldError, match=str(os.getpid())), hold(path, patience_seconds=0):
            pass
    assert holder(path) is None
