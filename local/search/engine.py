"""Which indexes there are: one directory each, made and removed by a rename, so that a crash leaves none half there."""

import fcntl
import shutil
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path

from local.search.bulk import Action, Outcome
from local.search.errors import SearchRequestError, missing_index
from local.search.index import Index
from local.search.mapping import read_definition
from local.search.store import DocumentStore

_FILE = "documents.sqlite"


class DataInUseError(Exception):
    """Another engine runs on the same data directory."""


class Engine:
    """All indexes under one data directory. Every method may be called from any thread."""

    def __init__(self, data: Path, refresh_seconds: float = 0) -> None:
        self._indexes_path = data / "indexes"
        self._discarded = data / "discarded"
        self._refresh_seconds = refresh_seconds
        self._indexes_path.mkdir(parents=True, exist_ok=True)
        self._guard = (data / "lock").open("w")
        try:
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataInUseError(f"another search engine uses {data}: stop it, or give another --data") from error
        shutil.rmtree(self._discarded, ignore_errors=True)
        self._discarded.mkdir()
        self._lock = threading.Lock()
        self._indexes = {path.name: self._open(path) for path in sorted(self._indexes_path.iterdir())}

    def close(self) -> None:
        """Release all files."""
        for index in self._indexes.values():
            index.close()
        self._guard.close()

    def has(self, name: str) -> bool:
        """Whether an index exists."""
        return name in self._indexes

    def index(self, name: str) -> Index:
        """Return an index by name; raises SearchRequestError with status 404."""
        try:
            return self._indexes[name]
        except KeyError as error:
            raise missing_index(name) from error

    def create(self, name: str, body: bytes) -> None:
        """Make an index; raises SearchRequestError if it exists or its definition is not served."""
        read_definition(name, body)
        with self._lock:
            if name in self._indexes:
                reason = f"index [{name}] already exists"
                raise SearchRequestError(reason, kind="resource_already_exists_exception")
            unfinished = self._discarded / uuid.uuid4().hex
            unfinished.mkdir()
            store = DocumentStore(unfinished / _FILE)
            store.define(body)
            store.close()
            self._indexes[name] = self._open(unfinished.rename(self._indexes_path / name))

    def delete(self, name: str) -> None:
        """Remove an index with all its documents; raises SearchRequestError with status 404."""
        with self._lock:
            self.index(name)
            index = self._indexes.pop(name)
            index.close()
            removed = (self._indexes_path / name).rename(self._discarded / uuid.uuid4().hex)
        shutil.rmtree(removed)

    def write(self, actions: Sequence[Action]) -> list[Outcome | SearchRequestError]:
        """Apply actions on any indexes, in their order within each; a failed action does not stop the others."""
        outcomes: dict[int, Outcome | SearchRequestError] = {}
        for name in dict.fromkeys(action.index for action in actions):
            places = [place for place, action in enumerate(actions) if action.index == name]
            if self.has(name):
                results = self.index(name).write([actions[place] for place in places])
            else:
                results = [missing_index(name) for _ in places]
            outcomes.update(zip(places, results, strict=True))
        return [outcomes[place] for place in range(len(actions))]

    def _open(self, path: Path) -> Index:
        return Index(path.name, path / _FILE, self._refresh_seconds)
