"""Where Lambda code and layers are unpacked: once per content, byte-compiled, shared by every worker."""

import functools
import hashlib
import importlib.util
import io
import os
import py_compile
import shutil
import threading
import zipfile
from pathlib import Path

_lock = threading.Lock()


def unpacked(content: bytes, root: Path) -> Path:
    """Return the folder under `root` that holds the unpacked zip, making it the first time the content is seen."""
    target = root / _digest(content)
    if target.exists():
        return target
    with _lock:
        if not target.exists():
            partial = target.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            _extract(content, partial)
            _compile(partial)
            partial.rename(target)
    return target


@functools.lru_cache(maxsize=64)
def _digest(content: bytes) -> str:
    """Hash once per object: layers are large, and ministack hands over the same object for each new worker."""
    return hashlib.sha256(content).hexdigest()


def _extract(content: bytes, target: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, target))
            mode = entry.external_attr >> 16
            if mode and not entry.is_dir():
                path.chmod(mode & 0o777 | 0o600)


def _compile(folder: Path) -> None:
    """Byte-compile by content, not by time, what the build did not compile: zips carry the date 1980-01-01."""
    for source in folder.rglob("*.py"):
        if not _is_compiled(source):
            try:
                py_compile.compile(
                    os.fspath(source), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
                )
            except (py_compile.PyCompileError, ValueError):
                continue


def _is_compiled(source: Path) -> bool:
    cached = Path(importlib.util.cache_from_source(os.fspath(source)))
    if not cached.exists():
        return False
    with cached.open("rb") as file:
        header = file.read(8)
    return header[:4] == importlib.util.MAGIC_NUMBER and header[4:] == b"\x01\x00\x00\x00"
