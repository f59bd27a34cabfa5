"""Exports in memory: their rows and their files."""

from collections.abc import Sequence
from dataclasses import replace

from plinth.contracts.exporting import Export, ExportedFile
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError, StoreUnavailableError
from plinth.ports.clock import Clock


class FakeExportJobs:
    """`ExportJobs`: `rows` may be deleted from, as an erasure does."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.rows: dict[str, Export] = {}

    def begin(self, export: Export) -> None:
        self.rows[export.id] = export

    def get(self, tenant: Tenant, export_id: str) -> Export:
        found = self.rows.get(export_id)
        if found is None or found.subject.tenant != tenant or found.expires_at <= self._clock.now():
            raise NotFoundError(f"no export {export_id}")
        return found

    def of(self, tenant: Tenant) -> list[Export]:
        now = self._clock.now()
        return [each for each in self.rows.values() if each.subject.tenant == tenant and each.expires_at > now]

    def advance(self, export: Export) -> Export | None:
        if export.id not in self.rows:
            return None
        if self.rows[export.id].turn != export.turn:
            raise StoreUnavailableError("somebody else works on this export: try again later")
        self.rows[export.id] = moved = replace(export, turn=export.turn + 1)
        return moved


class FakeExportFiles:
    """`ExportFiles`: `files` by export and path."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], bytes] = {}
        self._notes: dict[tuple[str, int], list[ExportedFile]] = {}

    def put(self, export: Export, path: str, body: bytes) -> None:
        self.files[export.id, path] = body

    def note(self, export: Export, files: Sequence[ExportedFile]) -> None:
        self._notes[export.id, export.turn] = list(files)

    def noted(self, export: Export) -> list[ExportedFile]:
        found = {each.path: each for (of, _), files in self._notes.items() if of == export.id for each in files}
        return [found[path] for path in sorted(found)]

    def page(self, export: Export, *, after: str, limit: int) -> list[tuple[str, int]]:
        own = sorted((path, len(body)) for (of, path), body in self.files.items() if of == export.id and path > after)
        return own[:limit]

    def link(self, export: Export, path: str) -> str:
        return f"https://files.invalid/{export.id}/{path}"

    def remove(self, export: Export) -> None:
        self.files = {key: body for key, body in self.files.items() if key[0] != export.id}
        self._notes = {key: files for key, files in self._notes.items() if key[0] != export.id}
