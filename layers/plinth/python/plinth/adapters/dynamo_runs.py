"""What makes a run accepted once and ended once: conditions on its row in DynamoDB.

Row RUN (pk `<tenant>#<run id>`), its contents CONTENT#<name> beside it, and one row per idempotency key.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import TypeVar

import msgspec

from plinth.adapters.dynamo_run_log import Batch, batch_put, ending_of
from plinth.adapters.dynamo_usage import usage_update
from plinth.adapters.dynamodb_items import Value, packed, row, unpacked
from plinth.adapters.dynamodb_table import ConditionFailedError, Key, Put, Table, Update
from plinth.adapters.open_rows import IS_OPEN, OPEN_STATUSES
from plinth.chain.executions import ABANDONED_SECONDS, LOST
from plinth.contracts.approvals import Approval
from plinth.contracts.events import NOTHING_MORE, Beginning, Event, RunAccepted
from plinth.contracts.runs import (
    Acceptance,
    Answer,
    Failure,
    IdempotencyKey,
    ModelCost,
    Receipt,
    Run,
    RunRecord,
    RunRequest,
    RunStatus,
)
from plinth.contracts.shards import shard_of
from plinth.contracts.tenant import Tenant
from plinth.errors import ContentMissingError, IdempotencyConflictError, NotFoundError, RunSupersededError
from plinth.money.usage import usage_of, usage_of_call, with_call
from plinth.ports.clock import Clock

Content = TypeVar("Content")

START_SECONDS = 30
"""How long a run may wait for its machine before somebody looks after it."""

_KEY_SECONDS = 86_400
ANSWER = "answer"  # the content that `get` returns with a run


class _RunRow(msgspec.Struct):
    status: RunStatus
    epoch: int
    created_at: float
    deadline: float
    expires_at: int
    request: bytes
    receipt: bytes | None = None
    failure: bytes | None = None
    ended_at: float | None = None
    unwanted: bool = False
    approvals: bytes | None = None


class _KeyRow(msgspec.Struct):
    body_sha256: str
    run_id: str
    expires_at: int


class DynamoRuns:
    """`Runs` in one table. An idempotency key is kept for a day."""

    def __init__(self, *, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def accept(
        self, run: Run, request: RunRequest, key: IdempotencyKey | None, beginning: Beginning = NOTHING_MORE
    ) -> Acceptance:
        """Write the run, its first events and its idempotency key in one transaction, or find the earlier run.

        A failed condition that names this very run is our own write whose answer was lost.
        """
        now = self._clock.now()
        accepted = RunAccepted(model=request.model, conversation_id=request.conversation_id)
        events: list[Event] = [accepted, *beginning.events]
        ending = ending_of(events, now)
        batch = Batch(
            epoch=run.epoch,
            at=now,
            first=1,
            last=len(events),
            events=packed(events),
            expires_at=run.expires_at,
            user=request.user,
            ended=bool(ending),
        )
        writes: list[Put | Update] = [_run_put(run, request, now, ending), batch_put(run, batch)]
        if beginning.answer is not None:
            writes.append(content_put(run, ANSWER, beginning.answer))
        if ending:
            writes.append(usage_update(run, request.user, usage_of(events), now))
        if key is not None:
            writes.append(self._remembered(run, key, now))
        try:
            self._table.transact(*writes)
        except ConditionFailedError as failed:
            if key is None or not (earlier := failed.old[-1]):
                return Acceptance(run_id=run.id, fresh=True)
            return _earlier(run, key, earlier)
        return Acceptance(run_id=run.id, fresh=True)

    def find(self, tenant: Tenant, key: IdempotencyKey) -> str | None:
        """Return the run of the key's row, which counts until it expires."""
        found = self._table.get(_remembered_under(tenant, key))
        if found is None or row(found, _KeyRow).expires_at <= self._clock.now():
            return None
        return _same_body(row(found, _KeyRow), key).run_id

    def _remembered(self, run: Run, key: IdempotencyKey, now: float) -> Put:
        return Put(
            key=_remembered_under(run.tenant, key),
            item={"body_sha256": key.body_sha256, "run_id": run.id, "expires_at": int(now) + _KEY_SECONDS},
            condition="attribute_not_exists(pk) OR #expires_at <= :now",
            values={":now": now},
        )

    def get(self, tenant: Tenant, run_id: str) -> RunRecord:
        """Return the run with its answer, if it has one."""
        found = self._table.get(run_key(tenant, run_id))
        now = self._clock.now()
        if found is None or row(found, _RunRow).expires_at <= now:
            raise NotFoundError(f"no run {run_id}")
        stored = _as_it_stands(row(found, _RunRow), now)
        answer = self._content(tenant, run_id, ANSWER, Answer) if stored.status == RunStatus.DONE else None
        return RunRecord(
            id=run_id,
            status=stored.status,
            epoch=stored.epoch,
            created_at=stored.created_at,
            deadline=stored.deadline,
            expires_at=stored.expires_at,
            request=unpacked(stored.request, RunRequest),
            answer=answer,
            receipt=unpacked(stored.receipt, Receipt) if stored.receipt else None,
            failure=unpacked(stored.failure, Failure) if stored.failure else None,
            ended_at=stored.ended_at,
            unwanted=stored.unwanted,
            approvals=unpacked(stored.approvals, tuple[Approval, ...]) if stored.approvals else (),
        )

    def cancel(self, tenant: Tenant, run_id: str) -> RunRecord:
        """Mark the row while the run is open; what has ended or does not exist is for the read after it to tell."""
        marked = Update(
            key=run_key(tenant, run_id),
            change="SET #unwanted = :yes",
            condition=IS_OPEN,
            values={":yes": True, **OPEN_STATUSES},
        )
        with suppress(ConditionFailedError):
            self._table.write(marked)
        return self.get(tenant, run_id)

    def add_call(self, run: Run, call: ModelCost) -> None:
        """Write the longer receipt, which nobody else changes after the run's end, and add the call in one transaction.

        The row says that it was done: a repeat of what was not acknowledged finds that.
        """
        try:
            record = self.get(run.tenant, run.id)
        except NotFoundError:
            return
        if record.receipt is None:
            return
        longer = Update(
            key=run_key(run.tenant, run.id),
            change="SET #receipt = :receipt, #amended = :yes",
            condition="attribute_exists(#receipt) AND attribute_not_exists(#amended)",
            values={":receipt": packed(with_call(record.receipt, call)), ":yes": True},
        )
        used = usage_update(run, record.request.user, usage_of_call(call), self._clock.now())
        with suppress(ConditionFailedError):
            self._table.transact(longer, used)

    def put_content(self, run: Run, name: str, content: object) -> None:
        """Keep the content, unless a later epoch already has: then `RunSupersededError`."""
        try:
            self._table.write(content_put(run, name, content))
        except ConditionFailedError as failed:
            raise RunSupersededError(f"a later execution owns run {run.id}") from failed

    def get_content(self, run: Run, name: str, kind: type[Content]) -> Content:
        """Return the content as `kind`."""
        content = self._content(run.tenant, run.id, name, kind)
        if content is None:
            raise ContentMissingError(f"run {run.id} holds no {name}")
        return content

    def contents(self, tenant: Tenant, run_id: str) -> dict[str, object]:
        """Return what the rows hold as JSON, but what has expired and what DynamoDB has not removed yet."""
        items = self._table.query(_pk(tenant, run_id), first="CONTENT#", last="CONTENT#~")
        kept = ((str(item["sk"]).removeprefix("CONTENT#"), row(item, _ContentRow)) for item in items)
        now = self._clock.now()
        return {name: unpacked(content.body, object) for name, content in kept if content.expires_at > now}

    def _content(self, tenant: Tenant, run_id: str, name: str, kind: type[Content]) -> Content | None:
        found = self._table.get((_pk(tenant, run_id), f"CONTENT#{name}"))
        return unpacked(row(found, _ContentRow).body, kind) if found else None


def _as_it_stands(stored: _RunRow, now: float) -> _RunRow:
    """Return the row; one that is open long after its deadline has lost its execution, and counts as failed."""
    if stored.status.final or now <= stored.deadline + ABANDONED_SECONDS:
        return stored
    return msgspec.structs.replace(stored, status=RunStatus.FAILED, failure=packed(LOST))


class _ContentRow(msgspec.Struct):
    body: bytes
    expires_at: int


def run_key(tenant: Tenant, run_id: str) -> Key:
    """Return the key of a run's row."""
    return _pk(tenant, run_id), "RUN"


def _run_put(run: Run, request: RunRequest, now: float, ending: Mapping[str, Value]) -> Put:
    """Return the write of a run's row: one that has not ended is open, and looked after if no machine claims it."""
    return Put(
        key=run_key(run.tenant, run.id),
        item={
            "status": RunStatus.ACCEPTED,
            "epoch": run.epoch,
            "created_at": now,
            "deadline": run.deadline,
            "request": packed(request),
            "expires_at": run.expires_at,
            **(ending or {"open": shard_of(run.id), "lapses_at": int(now) + START_SECONDS}),
        },
        condition="attribute_not_exists(pk)",
    )


def content_put(run: Run, name: str, content: object) -> Put:
    """Return the write of a content, which replaces none of a later epoch."""
    expires_at = run.expires_at if name == ANSWER else run.contents_expire_at
    return Put(
        key=(_pk(run.tenant, run.id), f"CONTENT#{name}"),
        item={"epoch": run.epoch, "body": packed(content), "expires_at": expires_at},
        condition="attribute_not_exists(pk) OR #epoch <= :epoch",
        values={":epoch": run.epoch},
    )


def _pk(tenant: Tenant, run_id: str) -> str:
    return f"{tenant.id}#{run_id}"


def _remembered_under(tenant: Tenant, key: IdempotencyKey) -> Key:
    return f"{tenant.id}#IDEMPOTENCY#{key.key}", "REQUEST"


def _earlier(run: Run, key: IdempotencyKey, earlier: dict[str, Value]) -> Acceptance:
    run_id = _same_body(row(earlier, _KeyRow), key).run_id
    return Acceptance(run_id=run_id, fresh=run_id == run.id)


def _same_body(stored: _KeyRow, key: IdempotencyKey) -> _KeyRow:
    if stored.body_sha256 != key.body_sha256:
        raise IdempotencyConflictError("this Idempotency-Key came with another body: use a new key for a new request")
    return stored
