"""What the launcher writes down for others to read: `stack.json` (no secrets) and `credentials.json` (0600)."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class StackInfo:
    """A deployed local stack. `outputs` are those of all its CloudFormation stacks, by name."""

    port: int
    model: str
    api_url: str
    cloud_url: str
    region: str
    outputs: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """An API key of the local stack, whole: it opens nothing but this laptop's own stack."""

    tenant: str
    user: str
    name: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The keys that were made for this stack; the first one is the default."""

    keys: tuple[StoredKey, ...] = ()


def stack_file(home: Path) -> Path:
    """Where `StackInfo` is kept."""
    return home / "stack.json"


def credentials_file(home: Path) -> Path:
    """Where `Credentials` are kept."""
    return home / "credentials.json"


def read(path: Path, kind: type[_Kind]) -> _Kind | None:
    """Return the record in the file, or None where there is no file or another version wrote it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def write(path: Path, record: object) -> None:
    """Replace the file at once, readable by its owner only: a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}.tmp")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - the descriptor sets the mode before the first byte
        file.write(msgspec.json.format(msgspec.json.encode(record), indent=2))
    fresh.replace(path)
