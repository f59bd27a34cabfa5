"""When a write becomes durable and when it becomes visible: one index, its store and the shard that searches see."""

import secrets
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from local.search.bulk import Action, Outcome
from local.search.documents import ReadDocument, read_document, read_fields
from local.search.errors import SearchRequestError
from local.search.mapping import read_definition
from local.search.query import QueryReader
from local.search.shard import Shard
from local.search.store import DocumentStore, StoredDocument

Change = Callable[[Shard], None]

# Dead rows are dropped from memory, by reading the store again, once they outnumber the live ones and this.
DEAD_ROWS_KEPT = 10_000


class Index:
    """One index. Every method may be called from any thread."""

    def __init__(self, name: str, path: Path, refresh_seconds: float) -> None:
        self.name = name
        self._refresh_seconds = refresh_seconds
        self._lock = threading.RLock()
        self._store = DocumentStore(path)
        self._store.forget_retired()
        self.definition = read_definition(name, self._store.definition())
        self.queries = QueryReader(self.definition.mappings)
        self._pending: list[tuple[float, Change]] = []
        self._shard = self._load()

    def close(self) -> None:
        """Release the files; the index is not used afterwards."""
        with self._lock:
            self._store.close()

    @contextmanager
    def reading(self) -> Generator[tuple[Shard, DocumentStore], None, None]:
        """Return what a search sees now, held still until the search is over."""
        with self._lock:
            self._refresh(older_than=self._refresh_seconds)
            yield self._shard, self._store

    def refresh(self) -> None:
        """Make every write visible."""
        with self._lock:
            self._refresh(older_than=0)

    def get(self, identifier: str) -> StoredDocument | None:
        """Return the document with this identifier as last written, visible to searches or not."""
        with self._lock:
            current = self._store.current(identifier)
            return self._store.read([current[0]])[current[0]] if current else None

    def write(self, actions: Sequence[Action]) -> list[Outcome | SearchRequestError]:
        """Apply actions in their order; all that succeed are on disk when this returns."""
        changes: list[Change] = []
        outcomes: list[Outcome | SearchRequestError] = []
        with self._lock:
            with self._store.batch():
                for action in actions:
                    try:
                        outcomes.append(self._apply(action, changes))
                    except SearchRequestError as error:
                        outcomes.append(error)
            now = time.monotonic()
            self._pending.extend((now, change) for change in changes)
            if self._refresh_seconds == 0:
                self._refresh(older_than=0)
        return outcomes

    def delete_visible(self, chosen: Callable[[Shard], list[tuple[str, int]]]) -> tuple[int, int]:
        """Delete the documents that `chosen` finds (identifier, key) unless they changed since they became visible.

        Returns how many were deleted and how many had changed.
        """
        with self.reading() as (shard, store):
            found = chosen(shard)
            unchanged = [identifier for identifier, key in found if (store.current(identifier) or (0,))[0] == key]
            self.write([Action("delete", self.name, identifier) for identifier in unchanged])
        return len(unchanged), len(found) - len(unchanged)

    def _apply(self, action: Action, changes: list[Change]) -> Outcome:
        identifier = action.id or secrets.token_urlsafe(15)
        current = self._store.current(identifier)
        if action.kind == "create" and current:
            reason = f"[{identifier}]: version conflict, document already exists (current version [{current[1]}])"
            raise SearchRequestError(reason, kind="version_conflict_engine_exception", status=409)
        if action.kind == "delete":
            return self._delete(identifier, current, changes)
        document = read_document(action.source, self.definition.mappings)
        version = current[1] + 1 if current else 1
        if current:
            self._store.retire(current[0])
        key = self._store.put(identifier, document, routing=action.routing, version=version)
        changes.append(_putting(identifier, key, document))
        return Outcome(identifier, "updated" if current else "created", version, key - 1, action.routing)

    def _delete(self, identifier: str, current: tuple[int, int] | None, changes: list[Change]) -> Outcome:
        if current is None:
            return Outcome(identifier, "not_found", 1, 0)
        self._store.retire(current[0])
        changes.append(lambda shard: shard.drop(identifier))
        return Outcome(identifier, "deleted", current[1] + 1, current[0])

    def _refresh(self, *, older_than: float) -> None:
        limit = time.monotonic() - older_than
        due = [change for written, change in self._pending if written <= limit]
        for change in due:
            change(self._shard)
        del self._pending[: len(due)]
        if due and not self._pending:
            self._store.forget_retired()
            dead = len(self._shard.ids) - len(self._shard.row_of)
            if dead > max(DEAD_ROWS_KEPT, len(self._shard.row_of)):
                self._shard = self._load()

    def _load(self) -> Shard:
        shard = Shard(self.definition.mappings)
        for stored in self._store.read_all():
            document = read_fields(msgspec.json.decode(stored.source), self.definition.mappings)
            document.vectors.update(stored.vectors)
            shard.put(stored.id, stored.key, document)
        return shard


def _putting(identifier: str, key: int, document: ReadDocument) -> Change:
    shown = ReadDocument(b"", document.terms, document.numbers, document.vectors)
    return lambda shard: shard.put(identifier, key, shown)
