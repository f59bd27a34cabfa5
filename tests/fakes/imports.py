"""Imports, the files that wait for them, and who waits for events, in memory."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Lock

from plinth.adapters.dynamo_imports import RUN_SECONDS
from plinth.contracts.importing import Batch, ImportedFile, ImportFailure, ImportRecord, ImportState
from plinth.contracts.memory import Upload
from plinth.contracts.tenant import Tenant
from plinth.errors import DocumentRefusedError, NotFoundError
from plinth.ports.clock import Clock


class FakeImports:
    """`Imports` under a lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._rows: dict[tuple[Tenant, str], tuple[ImportRecord, float]] = {}
        self._noted: set[tuple[Batch, str]] = set()
        self._awaited: dict[tuple[Tenant, str], str] = {}

    def prepare(self, tenant: Tenant, record: ImportRecord) -> ImportRecord:
        known, _ = self._rows.get((tenant, record.import_id), (record, 0.0))
        if self._state(tenant, record.import_id) is not ImportState.RUNNING:
            fresh = replace(record, attempt=known.attempt, created_at=self._clock.now())
            self._rows[tenant, record.import_id] = fresh, 0.0
        return self.get(tenant, record.import_id)

    def begin(self, tenant: Tenant, import_id: str) -> Batch | None:
        known = self.get(tenant, import_id)
        if known.state is ImportState.RUNNING:
            return None
        begun = replace(known, state=ImportState.RUNNING, attempt=known.attempt + 1, ready=0, failed=0, failures=())
        self._rows[tenant, import_id] = begun, self._clock.now() + RUN_SECONDS
        return Batch(tenant=tenant, import_id=import_id, attempt=begun.attempt)

    def note(self, batch: Batch, document_id: str, failure: ImportFailure | None) -> None:
        with self._lock:
            known, lapses_at = self._rows[batch.tenant, batch.import_id]
            if (batch, document_id) in self._noted or known.attempt != batch.attempt:
                return
            self._noted.add((batch, document_id))
            if failure:
                known = replace(known, failed=known.failed + 1, failures=(*known.failures, failure))
            else:
                known = replace(known, ready=known.ready + 1)
            self._rows[batch.tenant, batch.import_id] = known, lapses_at

    def close(self, batch: Batch, state: ImportState) -> None:
        known, lapses_at = self._rows[batch.tenant, batch.import_id]
        if known.attempt == batch.attempt:
            self._rows[batch.tenant, batch.import_id] = replace(known, state=state), lapses_at

    def get(self, tenant: Tenant, import_id: str) -> ImportRecord:
        state = self._state(tenant, import_id)
        if state is None:
            raise NotFoundError(f"no import {import_id}")
        return replace(self._rows[tenant, import_id][0], state=state)

    def await_event(self, tenant: Tenant, document_id: str, *, task_token: str) -> None:
        self._awaited[tenant, document_id] = task_token

    def awaited(self, tenant: Tenant, document_id: str) -> str | None:
        return self._awaited.get((tenant, document_id))

    def _state(self, tenant: Tenant, import_id: str) -> ImportState | None:
        found = self._rows.get((tenant, import_id))
        if found is None:
            return None
        record, lapses_at = found
        lost = record.state is ImportState.RUNNING and lapses_at < self._clock.now()
        return ImportState.STOPPED if lost else record.state


class FakeStagedFiles:
    """`StagedFiles`: a test stages bytes by hash in `staged`; `on_place` is called with what is placed."""

    def __init__(self) -> None:
        self.staged: set[tuple[Tenant, str]] = set()
        self.placed: list[ImportedFile] = []
        self.on_place: Callable[[ImportedFile], None] = lambda _: None
        self._manifests: dict[tuple[Tenant, str], list[ImportedFile]] = {}

    def put_manifest(self, tenant: Tenant, import_id: str, files: Sequence[ImportedFile]) -> None:
        self._manifests[tenant, import_id] = list(files)

    def manifest(self, tenant: Tenant, import_id: str) -> list[ImportedFile]:
        if (tenant, import_id) not in self._manifests:
            raise NotFoundError(f"no import {import_id}")
        return self._manifests[tenant, import_id]

    def manifest_key(self, tenant: Tenant, import_id: str) -> str:
        return f"{tenant.id}/imports/{import_id}.json"

    def missing(self, tenant: Tenant, files: Sequence[ImportedFile]) -> list[ImportedFile]:
        return list({each.sha256: each for each in files if (tenant, each.sha256) not in self.staged}.values())

    def upload(self, tenant: Tenant, file: ImportedFile) -> Upload:
        url = f"https://staged.invalid/{tenant.id}/{file.sha256}"
        return Upload(url=url, method="PUT", headers={}, expires_in_seconds=300)

    def place(self, tenant: Tenant, file: ImportedFile) -> None:
        if (tenant, file.sha256) not in self.staged:
            raise DocumentRefusedError("not_uploaded", "the file's bytes did not arrive: import again")
        self.placed.append(file)
        self.on_place(file)
