"""The one process that keeps those of the local stack: it starts what `processes.json` wants and ends with all of it.

`python -m local.supervisor --home DIR`. A process that ends by itself is reported, not restarted.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from local import processes
from local.records import read, write
from local.supervision import (
    LockHeldError,
    Phase,
    ProcessReport,
    Report,
    Wanted,
    WantedProcess,
    hold,
    pid_file,
    report_file,
    wanted_file,
)

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 30.0
"""The embedded cloud writes its state while it stops: killing it early would lose rows."""


class Supervisor:
    """The children of one stack."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._request = ""
        self._kept: dict[str, tuple[WantedProcess, processes.Child]] = {}
        self._reports: dict[str, ProcessReport] = {}

    def look(self) -> None:
        """Do what is newly asked for, and note who has ended."""
        wanted = read(wanted_file(self._home), Wanted)
        if wanted is not None and wanted.request != self._request:
            self._follow(wanted)
        for name, (_, child) in self._kept.items():
            code = child.process.poll()
            if code is not None and self._reports[name].phase is not Phase.ENDED:
                self._report(child, Phase.ENDED, f"ended with code {code}")

    def stop(self) -> None:
        """Stop all children, the last started first."""
        processes.stop((child for _, child in reversed(self._kept.values())), grace_seconds=_GRACE_SECONDS)

    def _follow(self, wanted: Wanted) -> None:
        self._request = wanted.request
        asked = {each.name: each for each in wanted.processes}
        for name, (specification, child) in list(self._kept.items()):
            if asked.get(name) != specification or child.process.poll() is not None:
                processes.stop([child], grace_seconds=_GRACE_SECONDS)
                del self._kept[name]
                del self._reports[name]
        fresh = [each for each in wanted.processes if each.name not in self._kept]
        for each in fresh:
            child = processes.start(each.name, each.argv, env=each.env, log_path=Path(each.log))
            self._kept[each.name] = (each, child)
            self._report(child, Phase.STARTING)
        for each in fresh:
            self._await(each, self._kept[each.name][1])
        self._write()

    def _await(self, wanted: WantedProcess, child: processes.Child) -> None:
        try:
            processes.wait_healthy(wanted.health_url, child, wanted.start_seconds)
        except processes.LocalProcessError as error:
            processes.stop([child])
            self._report(child, Phase.ENDED, str(error))
        else:
            self._report(child, Phase.RUNNING)

    def _report(self, child: processes.Child, phase: Phase, message: str = "") -> None:
        self._reports[child.name] = ProcessReport(
            name=child.name, pid=child.process.pid, phase=phase, log=str(child.log_path), message=message
        )
        self._write()

    def _write(self) -> None:
        write(report_file(self._home), Report(request=self._request, processes=tuple(self._reports.values())))


def main(arguments: Sequence[str] | None = None) -> int:
    """Keep processes until SIGTERM or SIGINT, then stop them all."""
    parser = argparse.ArgumentParser(prog="python -m local.supervisor", description=main.__doc__, allow_abbrev=False)
    parser.add_argument("--home", type=Path, required=True)
    home: Path = parser.parse_args(arguments).home
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    try:
        with hold(pid_file(home)):
            _keep(Supervisor(home))
    except LockHeldError as error:
        sys.stderr.write(f"supervisor: {error}\n")
        return 1
    return 0


def _keep(supervisor: Supervisor) -> None:
    try:
        while True:
            supervisor.look()
            time.sleep(_POLL_SECONDS)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        supervisor.stop()


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit


if __name__ == "__main__":
    sys.exit(main())
