"""Where and when figures were measured: processor, memory, load, versions, and a loop that says how fast this was."""

import os
import platform
import statistics
import subprocess
from importlib.metadata import version
from pathlib import Path

from bench.figures import cpu_ms

REPOSITORY = Path(__file__).resolve().parents[1]
_TURNS = 200_000


def host() -> dict[str, str | int | float]:
    """Return what is known of this machine and its load over the last minute and the last five."""
    one, five, _ = os.getloadavg()
    return {
        "cpu": _field(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        "cores": os.cpu_count() or 1,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()}-{platform.machine()}",
        "python": platform.python_version(),
        "commit": commit(),
        "load_1_min": round(one, 2),
        "load_5_min": round(five, 2),
        "calibration_cpu_ms": calibration_ms(),
    }


def calibration_ms() -> float:
    """Return the processor time of a fixed loop of plain Python: the same code, so any change is the machine's."""
    return round(statistics.median(cpu_ms(_loop)() for _ in range(7)), 2)


def plinth_version() -> str:
    """Return the version of the installed package."""
    return version("plinth")


def commit() -> str:
    """Return the commit measured, with a + where tracked files differ from it; `unknown` outside a repository."""
    command = ["git", "-C", str(REPOSITORY), "describe", "--always", "--exclude=*", "--abbrev=12", "--dirty=+"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def _loop() -> int:
    return sum(number * number % 7 for number in range(_TURNS))


def _field(file: Path, name: str) -> str:
    lines = file.read_text().splitlines() if file.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
