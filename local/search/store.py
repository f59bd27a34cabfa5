"""What survives a crash: the documents of one index in one SQLite file; a committed batch is on disk before its answer.

Source and vectors are kept apart: the vectors as float32, so that a restart reads numbers and not their decimal text,
and the source without them. A replaced or deleted document stays, marked, until the next refresh has hidden it.
"""

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from local.search.documents import ReadDocument, Vector

_SCHEMA = """
CREATE TABLE IF NOT EXISTS definition (body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    routing TEXT,
    source BLOB NOT NULL,
    vectors BLOB NOT NULL,
    live INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX IF NOT EXISTS live_ids ON documents (id) WHERE live;
CREATE INDEX IF NOT EXISTS dead_keys ON documents (key) WHERE NOT live;
"""


@dataclass(frozen=True)
class StoredDocument:
    """One version of a document; `key` grows with every version and is never used twice."""

    key: int
    id: str
    version: int
    routing: str | None
    source: bytes
    vectors: dict[str, Vector]


class DocumentStore:
    """The durable side of one index. Its owner serialises all calls."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA secure_delete = ON")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def define(self, body: bytes) -> None:
        """Keep the definition of the index."""
        self._connection.execute("INSERT INTO definition (body) VALUES (?)", (body,))

    def definition(self) -> bytes:
        """Return the definition of the index, as it was given."""
        (body,) = self._connection.execute("SELECT body FROM definition").fetchone()
        return bytes(body)

    @contextmanager
    def batch(self) -> Generator[None, None, None]:
        """All writes inside are on disk when this ends, or none of them if it raises."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def put(self, identifier: str, document: ReadDocument, *, routing: str | None, version: int) -> int:
        """Add a version of a document; the caller has retired the one before. Returns its key."""
        vectors = msgspec.msgpack.encode({name: vector.tobytes() for name, vector in document.vectors.items()})
        row = (identifier, version, routing, document.source, vectors)
        statement = "INSERT INTO documents (id, version, routing, source, vectors) VALUES (?, ?, ?, ?, ?)"
        return self._connection.execute(statement, row).lastrowid or 0

    def retire(self, key: int) -> None:
        """Mark a version as replaced or deleted."""
        self._connection.execute("UPDATE documents SET live = 0 WHERE key = ?", (key,))

    def forget_retired(self) -> None:
        """Remove every version that was marked."""
        self._connection.execute("DELETE FROM documents WHERE NOT live")

    def current(self, identifier: str) -> tuple[int, int] | None:
        """Key and version of the document that has this identifier now."""
        found = self._connection.execute("SELECT key, version FROM documents WHERE id = ? AND live", (identifier,))
        row: tuple[int, int] | None = found.fetchone()
        return row

    def count(self) -> int:
        """How many documents there are now."""
        return int(self._connection.execute("SELECT count(*) FROM documents WHERE live").fetchone()[0])

    def read(self, keys: Iterable[int]) -> dict[int, StoredDocument]:
        """Return the documents with these keys."""
        statement = "SELECT key, id, version, routing, source, vectors FROM documents WHERE key = ?"
        rows = (self._connection.execute(statement, (key,)).fetchone() for key in keys)
        return {row[0]: _stored(row) for row in rows if row}

    def read_all(self) -> Iterator[StoredDocument]:
        """Every document, in the order in which it was written."""
        statement = "SELECT key, id, version, routing, source, vectors FROM documents WHERE live ORDER BY key"
        return (_stored(row) for row in self._connection.execute(statement))


def _stored(row: tuple[int, str, int, str | None, bytes, bytes]) -> StoredDocument:
    key, identifier, version, routing, source, packed = row
    vectors = msgspec.msgpack.decode(packed, type=dict[str, bytes])
    held = {name: np.frombuffer(data, dtype=np.float32) for name, data in vectors.items()}
    return StoredDocument(key, identifier, version, routing, source, held)
