"""Runs and their logs in memory. Content is kept as JSON, so that a test meets the types that a store gives back."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import TypeVar

import msgspec

from plinth.chain.executions import ABANDONED_SECONDS, LOST, lease_until, run_of, successor
from plinth.contracts.events import NOTHING_MORE, Beginning, Event, LoggedEvent, ReceiptMade, RunAccepted, RunEnded
from plinth.contracts.executions import BEGINNING, Continuation
from plinth.contracts.runs import (
    Acceptance,
    Answer,
    Failure,
    IdempotencyKey,
    ModelCost,
    Overdue,
    Run,
    RunRecord,
    RunRequest,
    RunStatus,
)
from plinth.contracts.tenant import Tenant
from plinth.errors import ContentMissingError, IdempotencyConflictError, NotFoundError, RunSupersededError
from plinth.money.usage import with_call
from plinth.ports.clock import Clock

Content = TypeVar("Content")
KEY_SECONDS = 86_400
START_SECONDS = 30


@dataclass
class RunRow:
    """What is known of one run."""

    record: RunRecord
    owner: str | None = None
    leased_until: float = 0.0
    lapses_at: float = 0.0
    events: list[LoggedEvent] = field(default_factory=list)
    contents: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    expiries: dict[str, int] = field(default_factory=dict)
    later: ModelCost | None = None

    @property
    def open(self) -> bool:
        return not self.record.status.final


class FakeRuns:
    """`Runs` in memory."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = RLock()
        self.rows: dict[tuple[Tenant, str], RunRow] = {}
        self._keys: dict[tuple[Tenant, str], tuple[str, str, float]] = {}

    def accept(
        self, run: Run, request: RunRequest, key: IdempotencyKey | None, beginning: Beginning = NOTHING_MORE
    ) -> Acceptance:
        now = self.clock.now()
        with self.lock:
            if key is not None:
                sha256, run_id, expires_at = self._keys.get((run.tenant, key.key), ("", "", 0.0))
                if expires_at > now:
                    if sha256 != key.body_sha256:
                        raise IdempotencyConflictError("this Idempotency-Key came with another body")
                    return Acceptance(run_id=run_id, fresh=run_id == run.id)
                self._keys[run.tenant, key.key] = (key.body_sha256, run.id, now + KEY_SECONDS)
            record = RunRecord(
                id=run.id,
                status=RunStatus.ACCEPTED,
                epoch=run.epoch,
                created_at=now,
                deadline=run.deadline,
                expires_at=run.expires_at,
                request=request,
            )
            row = self.rows.setdefault((run.tenant, run.id), RunRow(record, lapses_at=now + START_SECONDS))
            if not row.events:
                accepted = RunAccepted(model=request.model, conversation_id=request.conversation_id)
                _log(row, run, [accepted, *beginning.events], now)
                if beginning.answer is not None:
                    row.contents["answer"] = (run.epoch, msgspec.json.encode(beginning.answer))
        return Acceptance(run_id=run.id, fresh=True)

    def find(self, tenant: Tenant, key: IdempotencyKey) -> str | None:
        sha256, run_id, expires_at = self._keys.get((tenant, key.key), ("", "", 0.0))
        if expires_at <= self.clock.now():
            return None
        if sha256 != key.body_sha256:
            raise IdempotencyConflictError("this Idempotency-Key came with another body")
        return run_id

    def get(self, tenant: Tenant, run_id: str) -> RunRecord:
        with self.lock:
            if (row := self.rows.get((tenant, run_id))) is None or row.record.expires_at <= self.clock.now():
                raise NotFoundError(f"no run {run_id}")
            if row.open and self.clock.now() > row.record.deadline + ABANDONED_SECONDS:
                return replace(row.record, status=RunStatus.FAILED, failure=LOST)
            answer = _content(row, "answer", Answer) if row.record.status is RunStatus.DONE else None
            return replace(row.record, answer=answer)

    def cancel(self, tenant: Tenant, run_id: str) -> RunRecord:
        with self.lock:
            row = self.rows.get((tenant, run_id))
            if row is not None and row.open:
                row.record = replace(row.record, unwanted=True)
            return self.get(tenant, run_id)

    def add_call(self, run: Run, call: ModelCost) -> None:
        with self.lock:
            row = self.rows.get((run.tenant, run.id))
            if row is not None and row.record.receipt is not None and row.later is None:
                row.later = call
                row.record = replace(row.record, receipt=with_call(row.record.receipt, call))

    def put_content(self, run: Run, name: str, content: object) -> None:
        with self.lock:
            row = self._row_to_write(run)
            contents = row.contents
            if contents.get(name, (0, b""))[0] > run.epoch:
                raise RunSupersededError(f"a later execution owns run {run.id}")
            contents[name] = (run.epoch, msgspec.json.encode(content))
            row.expiries[name] = run.expires_at if name == "answer" else run.contents_expire_at

    def get_content(self, run: Run, name: str, kind: type[Content]) -> Content:
        with self.lock:
            row = self.rows.get((run.tenant, run.id))
            content = _content(row, name, kind) if row else None
        if content is None:
            raise ContentMissingError(f"run {run.id} holds no {name}")
        return content

    def contents(self, tenant: Tenant, run_id: str) -> dict[str, object]:
        with self.lock:
            row = self.rows.get((tenant, run_id))
            kept = row.contents if row else {}
            now = self.clock.now()
            return {
                name: msgspec.json.decode(content)
                for name, (_, content) in sorted(kept.items())
                if row and row.expiries.get(name, row.record.expires_at) > now
            }

    def _row_to_write(self, run: Run) -> RunRow:
        if (row := self.rows.get((run.tenant, run.id))) is None:
            raise LookupError(f"accept {run.id} before writing its content")
        return row


class FakeExecutions:
    """`Executions` beside a `FakeRuns`."""

    def __init__(self, runs: FakeRuns) -> None:
        self._runs = runs

    def claim(self, run: Run, *, owner: str) -> bool:
        with self._runs.lock:
            row = self._own(run)
            if row is None or row.owner not in (None, owner):
                return False
            row.owner = owner
            row.leased_until = lease_until(run, now=self._runs.clock.now())
            row.record = replace(row.record, status=RunStatus.RUNNING)
            return True

    def renew(self, run: Run, *, wait_seconds: float = 0.0) -> None:
        with self._runs.lock:
            if row := self._own(run):
                row.leased_until = lease_until(run, now=self._runs.clock.now(), wait_seconds=wait_seconds)

    def hand_over(self, run: Run, continuation: Continuation) -> Run:
        with self._runs.lock:
            if row := self._own(run):
                row.record = replace(row.record, epoch=run.epoch + 1)
                row.owner, row.leased_until = None, 0.0
                row.lapses_at = self._runs.clock.now() + START_SECONDS
                row.contents["continuation"] = (run.epoch, msgspec.json.encode(continuation))
            elif not (row := self._runs.rows.get((run.tenant, run.id))) or (
                not row.open or row.record.epoch != run.epoch + 1
            ):
                raise RunSupersededError(f"run {run.id} has ended or another execution owns it")
            return successor(run)

    def take_over(self, run: Run, continuation: Continuation) -> Run | None:
        with self._runs.lock:
            row = self._own(run)
            held = row is not None and not 0 < row.leased_until <= self._runs.clock.now()
            try:
                return None if held else self.hand_over(run, continuation)
            except RunSupersededError:
                return None

    def continuation(self, run: Run) -> Continuation:
        row = self._runs.rows.get((run.tenant, run.id))
        return (_content(row, "continuation", Continuation) if row else None) or BEGINNING

    def overdue(self, *, limit: int) -> list[Overdue]:
        now = self._runs.clock.now()
        with self._runs.lock:
            late = [(tenant, row) for (tenant, _), row in self._runs.rows.items() if row.open and row.lapses_at <= now]
        return [
            Overdue(
                run=run_of(row.record, tenant),
                status=row.record.status,
                unwanted=row.record.unwanted,
                leased_until=row.leased_until,
            )
            for tenant, row in late[:limit]
        ]

    def look_again(self, run: Run, *, at: float) -> None:
        with self._runs.lock:
            self._runs.rows[run.tenant, run.id].lapses_at = int(at)

    def _own(self, run: Run) -> RunRow | None:
        row = self._runs.rows.get((run.tenant, run.id))
        open_ = (RunStatus.ACCEPTED, RunStatus.RUNNING)
        return row if row and row.record.status in open_ and row.record.epoch == run.epoch else None


class FakeRunLog:
    """`RunLog` beside a `FakeRuns`."""

    def __init__(self, runs: FakeRuns) -> None:
        self._runs = runs

    def append(self, run: Run, events: Sequence[Event]) -> int:
        if not events:
            raise ValueError("append needs at least one event")
        with self._runs.lock:
            row = self._runs.rows.get((run.tenant, run.id))
            if row is None or not row.open or row.events[-1].epoch > run.epoch:
                raise RunSupersededError(f"run {run.id} has ended or another execution owns it")
            if isinstance(events[-1], RunEnded) and row.record.epoch != run.epoch:
                raise RunSupersededError(f"another execution owns run {run.id}")
            _log(row, run, events, self._runs.clock.now())
            return len(row.events)

    def read(self, tenant: Tenant, run_id: str, *, after: int) -> list[LoggedEvent]:
        with self._runs.lock:
            row = self._runs.rows.get((tenant, run_id))
            return row.events[after:] if row and row.record.expires_at > self._runs.clock.now() else []


def _log(row: RunRow, run: Run, events: Sequence[Event], at: float) -> None:
    for event in events:
        row.events.append(LoggedEvent(seq=len(row.events) + 1, epoch=run.epoch, at=at, event=event))
        if isinstance(event, ReceiptMade):
            row.record = replace(row.record, receipt=event.receipt)
    if isinstance(ended := events[-1], RunEnded):
        failure = Failure(reason=ended.reason, message=ended.message or "") if ended.reason else None
        row.record = replace(row.record, status=ended.status, failure=failure, ended_at=at)


def _content(row: RunRow, name: str, kind: type[Content]) -> Content | None:
    if name not in row.contents:
        return None
    return msgspec.json.decode(row.contents[name][1], type=kind)
