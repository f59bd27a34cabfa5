"""How events get into a run's log and out again: one row per batch, under the number of its first event.

A batch goes right behind the last one, where only one writer can put it, so the rows are a chain without a gap, and
whoever meets a later execution's batch or the run's end in its place is superseded.
"""

import time
from collections.abc import Iterator, Sequence
from random import SystemRandom
from uuid import uuid4

import msgspec

from plinth.adapters.dynamo_usage import usage_update
from plinth.adapters.dynamodb_items import Value, packed, row, unpacked
from plinth.adapters.dynamodb_table import ConditionFailedError, Put, Table, Update
from plinth.adapters.open_rows import IS_OPEN, OPEN_STATUSES
from plinth.contracts.events import Event, LoggedEvent, ReceiptMade, RunEnded
from plinth.contracts.runs import Failure, Run
from plinth.contracts.tenant import Tenant
from plinth.errors import RunSupersededError, StoreUnavailableError
from plinth.money.usage import usage_of
from plinth.ports.clock import Clock

# Of the appenders that race for one number one always wins, so this is far more than a run's few writers need.
_TRIES = 32
_DIGITS = 10
# So many batches are below 4 KB, a read unit, and more than come between two looks of a reader.
_LATEST = 8
_random = SystemRandom()


class Batch(msgspec.Struct):
    """A row of the log. `mark` names the append that wrote it; `user` goes on from batch to batch."""

    epoch: int
    at: float
    first: int
    last: int
    events: bytes
    expires_at: int
    user: str = ""
    mark: str = ""
    ended: bool = False


class DynamoRunLog:
    """`RunLog` in the table of the runs."""

    def __init__(self, *, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._newest: dict[str, Batch] = {}

    def append(self, run: Run, events: Sequence[Event], *, along: Sequence[Put | Update] = ()) -> int:
        """Put the batch behind the newest one, if no other is there yet; a lost race is tried again behind the winner.

        The condition decides; the remembered or read newest batch only spares it a first failure. A batch that ends
        with `run.ended` ends the run's row and adds to its user's day in the same transaction: no reader meets the one
        without the other, and the run counts once. So it is with the writes `along`: where only a condition of theirs
        fails, `ConditionFailedError` has what each of them met.
        """
        if not events:
            raise ValueError("append needs at least one event")
        newest, mark = self._newest.get(_pk(run.tenant, run.id)) or self._read_newest(run), uuid4().hex
        for attempt in range(_TRIES):
            _fence(run, newest)
            try:
                newest = self._append_after(run, events, newest, mark, along)
            except ConditionFailedError as failed:
                if along and not failed.old[0]:
                    raise ConditionFailedError(failed.old[1:]) from failed
                newest = _met(run, failed)
                if newest.mark == mark:
                    return newest.last
                if attempt:  # what was remembered is far behind: an earlier execution of the run wrote on
                    newest = self._read_newest(run)
            else:
                self._newest = {_pk(run.tenant, run.id): newest}
                return newest.last
            time.sleep(_random.uniform(0, min(0.1, 0.005 * 2**attempt)))
        raise StoreUnavailableError(f"run {run.id}: others kept appending first; try again later")

    def _append_after(
        self, run: Run, events: Sequence[Event], newest: Batch, mark: str, along: Sequence[Put | Update]
    ) -> Batch:
        batch = Batch(
            epoch=run.epoch,
            at=self._clock.now(),
            first=newest.last + 1,
            last=newest.last + len(events),
            events=packed(events),
            expires_at=run.expires_at,
            user=newest.user,
            mark=mark,
            ended=isinstance(events[-1], RunEnded),
        )
        put, ending = batch_put(run, batch), ending_of(events, batch.at)
        if ending:
            used = usage_update(run, batch.user, usage_of(events), batch.at)
            self._table.transact(put, _ending_update(run, ending), used)
        elif along:
            self._table.transact(put, *along)
        else:
            self._table.write(put)
        return batch

    def _read_newest(self, run: Run) -> Batch:
        batches = self._batches(run.tenant, run.id, page_size=1)
        if not (newest := next(batches, None)):
            raise RunSupersededError(f"run {run.id} is not there any more")
        return newest

    def read(self, tenant: Tenant, run_id: str, *, after: int) -> list[LoggedEvent]:
        """Return the events after `after`, looked for from the newest batch back; one that straddles it is cut."""
        found: list[Batch] = []
        for batch in self._batches(tenant, run_id, page_size=_LATEST if after else None):
            found.append(batch)
            if batch.first <= after + 1:
                break
        if found:
            self._newest = {_pk(tenant, run_id): found[0]}
        return [event for batch in reversed(found) for event in _logged(batch) if event.seq > after]

    def _batches(self, tenant: Tenant, run_id: str, *, page_size: int | None) -> Iterator[Batch]:
        """Yield the batches of the log, the newest first."""
        first, last = _event_sk(1), _event_sk(10**_DIGITS - 1)
        items = self._table.query(_pk(tenant, run_id), first=first, last=last, page_size=page_size, newest_first=True)
        batches = (row(item, Batch) for item in items)
        return (batch for batch in batches if batch.expires_at > self._clock.now())


def batch_put(run: Run, batch: Batch) -> Put:
    """Return the write of a batch, which never replaces one."""
    return Put(
        key=(_pk(run.tenant, run.id), _event_sk(batch.first)),
        item=msgspec.structs.asdict(batch),
        condition="attribute_not_exists(pk)",
    )


def ending_of(events: Sequence[Event], at: float) -> dict[str, Value]:
    """Return what the run's row takes over from its last events; nothing unless they end with `run.ended`."""
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


def _ending_update(run: Run, ending: dict[str, Value]) -> Update:
    return Update(
        key=(_pk(run.tenant, run.id), "RUN"),
        change="SET " + ", ".join(f"#{name} = :new_{name}" for name in ending) + " REMOVE #open",
        condition=f"#epoch = :epoch AND {IS_OPEN}",
        values={
            ":epoch": run.epoch,
            **OPEN_STATUSES,
            **{f":new_{name}": value for name, value in ending.items()},
        },
    )


def _logged(batch: Batch) -> list[LoggedEvent]:
    events = unpacked(batch.events, list[Event])
    return [
        LoggedEvent(seq=seq, epoch=batch.epoch, at=batch.at, event=event)
        for seq, event in enumerate(events, start=batch.first)
    ]


def _met(run: Run, failed: ConditionFailedError) -> Batch:
    """Return the batch that was there first; there is none where the run's row refused the end."""
    if not (old := failed.old[0]):
        raise RunSupersededError(f"run {run.id} has ended or another execution owns it") from failed
    return row(old, Batch)


def _fence(run: Run, newest: Batch) -> None:
    if newest.ended or newest.epoch > run.epoch:
        raise RunSupersededError(f"run {run.id} has ended or another execution owns it")


def _pk(tenant: Tenant, run_id: str) -> str:
    return f"{tenant.id}#{run_id}"


def _event_sk(first: int) -> str:
    return f"EVENT#{first:0{_DIGITS}d}"
