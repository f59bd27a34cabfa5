"""How much memory a stack holds: the proportional share of every process below its supervisor, sampled."""

import re
import threading
from collections import defaultdict
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 5.0
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


@dataclass
class Peak:
    """The most that was seen at once."""

    mebibytes: int = 0
    processes: int = 0


@contextmanager
def peak_of(root: int) -> Generator[Peak]:
    """Yield what the process and all below it held at most, looked at every 5 s until the end."""
    peak, over = Peak(), threading.Event()

    def watch() -> None:
        while not over.wait(_SECONDS):
            shares = [share for pid in _below(root) if (share := _share(pid))]
            peak.mebibytes = max(peak.mebibytes, sum(shares) // 1024)
            peak.processes = max(peak.processes, len(shares))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def _below(root: int) -> Iterator[int]:
    children: defaultdict[int, list[int]] = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            pid, _, rest = stat.read_text().partition(" (")
            children[int(rest.rpartition(") ")[2].split()[1])].append(int(pid))
    waiting = [root]
    while waiting:
        waiting += children[waiting[0]]
        yield waiting.pop(0)


def _share(pid: int) -> int:
    """Return kB, or 0 for a process that is gone."""
    with suppress(OSError):
        if found := _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text()):
            return int(found[1])
    return 0
