"""What a machine must have before anything is started: tools, packages, disk and ports."""

import ctypes
import importlib.util
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from local.models.catalogue import CATALOGUE
from local.places import Ports
from local.processes import LocalProcessError, require_free_port

_PACKAGES = ("aws_cdk", "boto3", "ministack", "xllamacpp", "uvicorn", "onnxruntime", "msgspec")
_OLDEST_NODE = 18
_NEEDED_GB = {"small": 2.0, "demo": 5.0}
"""Room for the model and its packages while it is put together, the layers, and a first data set."""
_NEEDED_AGAIN_GB = 0.5


class MissingToolError(LocalProcessError):
    """A tool or a package that the stack needs is not installed."""


class DiskFullError(LocalProcessError):
    """The disk has too little room."""


def check_machine(*, home: Path, cache: Path, model: str) -> None:
    """Raise an error that names what is missing and the remedy, unless a stack with this model can run here."""
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingToolError(f"this Python lacks {', '.join(missing)}: run `make setup`")
    _check_node()
    _check_openmp()
    first_time = not all((cache / "models" / file.name).exists() for file in CATALOGUE[model].files)
    check_disk((home, cache), needed_gb=_NEEDED_GB[model] if first_time else _NEEDED_AGAIN_GB)


def _check_openmp() -> None:
    """Raise where OpenMP is missing: the model server's library links it, and a minimal Debian lacks it."""
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError as error:
        raise MissingToolError("libgomp.so.1 is missing: apt-get install libgomp1") from error


def check_ports(ports: Ports) -> None:
    """Raise PortBusyError, naming the port's holder, unless all four ports are free."""
    for port, name in (
        (ports.edge, "the edge"),
        (ports.cloud, "the embedded cloud"),
        (ports.search, "the search engine"),
        (ports.models, "the model server"),
    ):
        require_free_port(port, name)


def check_disk(folders: Iterable[Path], *, needed_gb: float) -> None:
    """Raise DiskFullError unless each folder's disk has that much room."""
    for folder in folders:
        there = next(path for path in (folder, *folder.parents) if path.exists())
        free_gb = shutil.disk_usage(there).free / 1e9
        if free_gb < needed_gb:
            raise DiskFullError(
                f"{folder} has {free_gb:.1f} GB free and {needed_gb:g} GB are needed: "
                "make room, or set PLINTH_HOME and PLINTH_CACHE to folders on a larger disk"
            )


def _check_node() -> None:
    node = shutil.which("node")
    if node is None:
        raise MissingToolError(
            f"node is not on the PATH, and synthesis needs it: install Node.js {_OLDEST_NODE} or newer"
        )
    version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    major = version.removeprefix("v").partition(".")[0]
    if not major.isdigit() or int(major) < _OLDEST_NODE:
        raise MissingToolError(f"node is {version.strip() or 'broken'}: install Node.js {_OLDEST_NODE} or newer")
