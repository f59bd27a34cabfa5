"""Whether a file is the one that was promised, and how that is remembered between starts."""

import hashlib
import json
from pathlib import Path

from local.models.catalogue import ModelFile


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 of a file of any size, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_verified(path: Path, wanted: ModelFile) -> bool:
    """Whether `path` holds the wanted bytes: from the record beside it, else by hashing once."""
    if not path.is_file() or path.stat().st_size != wanted.size_bytes:
        return False
    if _recorded(path) == _fingerprint(path, sha256=wanted.sha256):
        return True
    if sha256_of(path) != wanted.sha256:
        return False
    remember(path, sha256=wanted.sha256)
    return True


def remember(path: Path, *, sha256: str) -> None:
    """Write down that `path`, as it is now, has this digest: a change of size or time voids the record."""
    _record_path(path).write_text(json.dumps(_fingerprint(path, sha256=sha256)))


def _fingerprint(path: Path, *, sha256: str) -> dict[str, str | int]:
    status = path.stat()
    return {"sha256": sha256, "size_bytes": status.st_size, "mtime_ns": status.st_mtime_ns}


def _recorded(path: Path) -> object:
    try:
        return json.loads(_record_path(path).read_text())
    except (OSError, ValueError):
        return None


def _record_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified")
