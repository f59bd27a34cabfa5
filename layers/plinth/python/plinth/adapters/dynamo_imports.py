"""How far imports are: counts that a repeated note can't raise twice, and who waits for the event of which object.

Rows (pk `<tenant>`): IMPORT#<id> has the counts of the attempt that runs or ran last; IMPORT#<id>#<attempt>#<document>
what became of a document; AWAITED#<document> the task token that its next event is told under.
"""

from collections.abc import Iterator

import msgspec

from plinth.adapters.dynamodb_items import Value, row
from plinth.adapters.dynamodb_table import ConditionFailedError, Key, Put, Table, Update
from plinth.contracts.importing import Batch, ImportFailure, ImportRecord, ImportState
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError
from plinth.ports.clock import Clock

RUN_SECONDS = 21_600
"""How long an attempt may run: the time limit of the machine."""
_KEPT_SECONDS = 30 * 86_400
_SHOWN = 100
_COUNTED = "#ready = :none, #failed = :none"


class _ImportRow(msgspec.Struct):
    state: ImportState
    files: int
    unchanged: int
    created_at: float
    tolerated_failure_percentage: int
    attempt: int = 0
    ready: int = 0
    failed: int = 0
    lapses_at: float = 0.0


class _OutcomeRow(msgspec.Struct):
    name: str = ""
    reason: str | None = None
    message: str = ""


class _AwaitedRow(msgspec.Struct):
    task_token: str


class DynamoImports:
    """`Imports` in the table of documents."""

    def __init__(self, *, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def prepare(self, tenant: Tenant, record: ImportRecord) -> ImportRecord:
        """Take the counts of files anew; attempts go on counting."""
        prepared = Update(
            key=_key(tenant, record.import_id),
            change=f"SET #state = :uploading, #files = :files, #unchanged = :unchanged, {_COUNTED},"
            " #created_at = :now, #tolerated_failure_percentage = :tolerated, #expires_at = :expires_at",
            condition="attribute_not_exists(pk) OR #state <> :running OR #lapses_at < :now",
            values={
                ":uploading": ImportState.UPLOADING,
                ":running": ImportState.RUNNING,
                ":files": record.files,
                ":unchanged": record.unchanged,
                ":tolerated": record.tolerated_failure_percentage,
                ":now": self._clock.now(),
                **self._fresh(),
            },
        )
        self._holds(prepared)
        return self.get(tenant, record.import_id)

    def begin(self, tenant: Tenant, import_id: str) -> Batch | None:
        """Take the next attempt, unless one has time left."""
        now = self._clock.now()
        begun = Update(
            key=_key(tenant, import_id),
            change=f"SET #state = :running, #lapses_at = :lapses_at, #expires_at = :expires_at, {_COUNTED}",
            add={"attempt": 1},
            condition="attribute_exists(pk) AND (#state <> :running OR #lapses_at < :now)",
            values={":running": ImportState.RUNNING, ":now": now, ":lapses_at": now + RUN_SECONDS, **self._fresh()},
        )
        try:
            taken = row(self._table.write(begun), _ImportRow)
        except ConditionFailedError as failed:
            if not failed.old[0]:
                raise NotFoundError(f"no import {import_id}") from failed
            return None
        return Batch(tenant=tenant, import_id=import_id, attempt=taken.attempt)

    def note(self, batch: Batch, document_id: str, failure: ImportFailure | None) -> None:
        """Write the outcome if there is none, and with it, in one transaction, count it."""
        outcome: dict[str, Value | None] = {"expires_at": int(self._clock.now()) + _KEPT_SECONDS}
        if failure:
            outcome |= {"name": failure.name, "reason": failure.reason, "message": failure.message}
        once = Put(
            key=(batch.tenant.id, f"{_prefix(batch)}{document_id}"),
            item=outcome,
            condition="attribute_not_exists(pk)",
        )
        counted = Update(
            key=_key(batch.tenant, batch.import_id),
            change="SET #noted_at = :now",
            add={"failed" if failure else "ready": 1},
            condition="#attempt = :attempt",
            values={":now": self._clock.now(), ":attempt": batch.attempt},
        )
        self._holds(once, counted)

    def close(self, batch: Batch, state: ImportState) -> None:
        """End the attempt, if it is the one that runs."""
        self._holds(
            Update(
                key=_key(batch.tenant, batch.import_id),
                change="SET #state = :state",
                condition="#attempt = :attempt",
                values={":state": state, ":attempt": batch.attempt},
            )
        )

    def get(self, tenant: Tenant, import_id: str) -> ImportRecord:
        """Return the counts, and failures where there are any."""
        found = self._table.get(_key(tenant, import_id))
        if found is None:
            raise NotFoundError(f"no import {import_id}")
        stored = row(found, _ImportRow)
        lost = stored.state == ImportState.RUNNING and stored.lapses_at < self._clock.now()
        batch = Batch(tenant=tenant, import_id=import_id, attempt=stored.attempt)
        return ImportRecord(
            import_id=import_id,
            state=ImportState.STOPPED if lost else stored.state,
            files=stored.files,
            unchanged=stored.unchanged,
            created_at=stored.created_at,
            ready=stored.ready,
            failed=stored.failed,
            attempt=stored.attempt,
            tolerated_failure_percentage=stored.tolerated_failure_percentage,
            failures=tuple(self._failures(batch)) if stored.failed else (),
        )

    def await_event(self, tenant: Tenant, document_id: str, *, task_token: str) -> None:
        """Put the token in place of an earlier one."""
        expires_at = int(self._clock.now()) + RUN_SECONDS
        self._table.write(
            Put(key=_awaited(tenant, document_id), item={"task_token": task_token, "expires_at": expires_at})
        )

    def awaited(self, tenant: Tenant, document_id: str) -> str | None:
        """Return the token, if one was left."""
        found = self._table.get(_awaited(tenant, document_id))
        return row(found, _AwaitedRow).task_token if found else None

    def _failures(self, batch: Batch) -> Iterator[ImportFailure]:
        shown = 0
        for item in self._table.query(batch.tenant.id, first=_prefix(batch), last=f"{_prefix(batch)}~"):
            stored = row(item, _OutcomeRow)
            if stored.reason is not None:
                shown += 1
                yield ImportFailure(name=stored.name, reason=stored.reason, message=stored.message)
            if shown == _SHOWN:
                return

    def _fresh(self) -> dict[str, Value]:
        return {":none": 0, ":expires_at": int(self._clock.now()) + _KEPT_SECONDS}

    def _holds(self, *changes: Put | Update) -> None:
        try:
            self._table.transact(*changes)
        except ConditionFailedError:
            return


def _key(tenant: Tenant, import_id: str) -> Key:
    return tenant.id, f"IMPORT#{import_id}"


def _prefix(batch: Batch) -> str:
    return f"IMPORT#{batch.import_id}#{batch.attempt:06d}#"


def _awaited(tenant: Tenant, document_id: str) -> Key:
    return tenant.id, f"AWAITED#{document_id}"
