"""How events get into a run's log and out again: batches under their last sequence number, fenced by the run's row."""

import time
from collections.abc import Sequence
from random import SystemRandom
from uuid import uuid4

import msgspec

from plinth.adapters.dynamodb_items import Value, packed, row, unpacked
from plinth.adapters.dynamodb_table import ConditionFailedError, Key, Put, Table, Update
from plinth.contracts.events import Event, LoggedEvent, ReceiptMade, RunEnded
from plinth.contracts.runs import Failure, Run, RunStatus
from plinth.contracts.tenant import Tenant
from plinth.errors import RunSupersededError, StoreUnavailableError
from plinth.ports.clock import Clock

# Of the appenders that race for one number one always wins, so this is far more than a run's few writers need.
_TRIES = 32
_DIGITS = 10
_random = SystemRandom()


class _Head(msgspec.Struct):
    """The part of a run's row that orders and fences its log. `tail` names the append that moved `seq` last."""

    status: RunStatus
    epoch: int
    seq: int
    expires_at: int
    tail: str | None = None


class _Batch(msgspec.Struct):
    epoch: int
    at: float
    seq: int
    events: bytes


class DynamoRunLog:
    """`RunLog` in the table of the runs."""

    def __init__(self, *, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._heads: dict[str, _Head] = {}

    def append(self, run: Run, events: Sequence[Event]) -> int:
        """Write the batch and move the run's `seq` in one transaction; a lost race is tried again at the new end.

        The transaction decides; the remembered or read head only spares it a first failure. A batch that ends with
        `run.ended` ends the row too, so that no reader meets the one without the other.
        """
        if not events:
            raise ValueError("append needs at least one event")
        head = self._heads.get(run.id) or _head(run, self._table.get(_head_key(run)))
        mark = uuid4().hex
        for attempt in range(_TRIES):
            try:
                last = self._append_after(run, events, head, mark)
            except ConditionFailedError as failed:
                head = _head(run, failed.old[0])
                if head.tail == mark:
                    return head.seq
                _fence(run, head)
            else:
                self._heads = {run.id: msgspec.structs.replace(head, seq=last)}
                return last
            time.sleep(_random.uniform(0, min(0.1, 0.005 * 2**attempt)))
        raise StoreUnavailableError(f"run {run.id}: others kept appending first; try again later")

    def _append_after(self, run: Run, events: Sequence[Event], head: _Head, mark: str) -> int:
        last, at = head.seq + len(events), self._clock.now()
        ending = _ending(events, at)
        moved = Update(
            key=_head_key(run),
            change=", ".join(["SET #seq = :last, #tail = :mark", *(f"#{name} = :new_{name}" for name in ending)]),
            condition="#seq = :expected AND #epoch = :epoch AND #status IN (:accepted, :running)",
            values={
                ":last": last,
                ":mark": mark,
                ":expected": head.seq,
                ":epoch": run.epoch,
                ":accepted": RunStatus.ACCEPTED,
                ":running": RunStatus.RUNNING,
                **{f":new_{name}": value for name, value in ending.items()},
            },
        )
        self._table.transact(moved, event_put(run, events, last=last, at=at, expires_at=head.expires_at))
        return last

    def read(self, tenant: Tenant, run_id: str, *, after: int) -> list[LoggedEvent]:
        """Return the events after `after`; a batch that straddles it is cut."""
        batches = self._table.query(
            f"{tenant.id}#{run_id}", first=_event_sk(after + 1), last=_event_sk(10**_DIGITS - 1)
        )
        return [event for found in batches for event in _logged(row(found, _Batch)) if event.seq > after]


def event_put(run: Run, events: Sequence[Event], *, last: int, at: float, expires_at: int) -> Put:
    """Return the write of a batch that ends at number `last`; it never replaces one."""
    return Put(
        key=(f"{run.tenant.id}#{run.id}", _event_sk(last)),
        item={"epoch": run.epoch, "at": at, "seq": last, "events": packed(events), "expires_at": expires_at},
        condition="attribute_not_exists(pk)",
    )


def _ending(events: Sequence[Event], at: float) -> dict[str, Value]:
    """Return what the run's row takes over from its last events; nothing unless the batch ends with `run.ended`."""
    ended = events[-1]
    if not isinstance(ended, RunEnded):
        return {}
    ending: dict[str, Value] = {"status": ended.status, "ended_at": at}
    if ended.reason is not None:
        ending["failure"] = packed(Failure(reason=ended.reason, message=ended.message or ""))
    for event in events:
        if isinstance(event, ReceiptMade):
            ending["receipt"] = packed(event.receipt)
    return ending


def _logged(batch: _Batch) -> list[LoggedEvent]:
    events = unpacked(batch.events, list[Event])
    first = batch.seq - len(events) + 1
    return [
        LoggedEvent(seq=first + offset, epoch=batch.epoch, at=batch.at, event=event)
        for offset, event in enumerate(events)
    ]


def _head(run: Run, found: dict[str, Value] | None) -> _Head:
    if not found:
        raise RunSupersededError(f"run {run.id} is not there any more")
    return row(found, _Head)


def _fence(run: Run, head: _Head) -> None:
    if head.epoch != run.epoch or head.status not in (RunStatus.ACCEPTED, RunStatus.RUNNING):
        raise RunSupersededError(f"run {run.id} has ended or another execution owns it")


def _head_key(run: Run) -> Key:
    return f"{run.tenant.id}#{run.id}", "RUN"


def _event_sk(seq: int) -> str:
    return f"EVENT#{seq:0{_DIGITS}d}"
