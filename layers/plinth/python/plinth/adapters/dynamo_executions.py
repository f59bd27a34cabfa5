"""What makes one execution at a time work on a run: conditions on the epoch, the owner and the lease of its row."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import msgspec

from plinth.adapters.dynamo_runs import START_SECONDS, content_put, run_key
from plinth.adapters.dynamodb_items import Item, Value, row, unpacked
from plinth.adapters.dynamodb_table import ConditionFailedError, Table, Update
from plinth.adapters.open_rows import OPEN
from plinth.chain.executions import lease_until, successor
from plinth.contracts.executions import BEGINNING, Continuation
from plinth.contracts.runs import Overdue, Run, RunRequest, RunStatus, contents_until
from plinth.contracts.shards import SHARDS
from plinth.contracts.tenant import Tenant
from plinth.errors import ContentMissingError, RecordUnreadableError, RunSupersededError
from plinth.ports.clock import Clock
from plinth.ports.runs import Runs

CONTINUATION = "continuation"
_OPEN = {":accepted": RunStatus.ACCEPTED, ":running": RunStatus.RUNNING}
_MINE = "#epoch = :epoch AND #status IN (:accepted, :running)"


class _RunRow(msgspec.Struct):
    """What of a run's row says who works on it, and until when."""

    status: RunStatus
    epoch: int
    deadline: float
    expires_at: int
    request: bytes
    leased_until: float = 0.0
    unwanted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A change of the run's row, which belongs to the run's epoch and is open; `where` says more."""

    run: Run
    change: str
    values: Mapping[str, Value]
    where: str = ""

    def update(self) -> Update:
        return Update(
            key=run_key(self.run.tenant, self.run.id),
            change=self.change,
            condition=_MINE + self.where,
            values={":epoch": self.run.epoch, **_OPEN, **self.values},
        )


class DynamoExecutions:
    """`Executions` in the table of the runs, whose contents `runs` reads."""

    def __init__(self, *, table: Table, runs: Runs, clock: Clock) -> None:
        self._table = table
        self._runs = runs
        self._clock = clock

    def claim(self, run: Run, *, owner: str) -> bool:
        """Set the owner and its lease if the run has none, or if it is this one already."""
        claimed = _Change(
            run=run,
            change="SET #status = :running, #owner = :owner, #leased_until = :until",
            where=" AND (attribute_not_exists(#owner) OR #owner = :owner)",
            values={":owner": owner, ":until": lease_until(run, now=self._clock.now())},
        )
        try:
            self._table.write(claimed.update())
        except ConditionFailedError:
            return False
        return True

    def renew(self, run: Run, *, wait_seconds: float = 0.0) -> None:
        """Set the lease anew, unless the run is another execution's by now."""
        until = lease_until(run, now=self._clock.now(), wait_seconds=wait_seconds)
        with suppress(ConditionFailedError):
            self._table.write(_Change(run=run, change="SET #leased_until = :until", values={":until": until}).update())

    def hand_over(self, run: Run, continuation: Continuation) -> Run:
        """Keep the continuation and raise the epoch in one transaction; what was handed over already stays so."""
        return self._move(run, continuation)

    def take_over(self, run: Run, continuation: Continuation) -> Run | None:
        """Do the same where the lease is over."""
        try:
            return self._move(run, continuation, lease_over_at=self._clock.now())
        except RunSupersededError:
            return None

    def _move(self, run: Run, continuation: Continuation, *, lease_over_at: float | None = None) -> Run:
        following = successor(run)
        lost: dict[str, Value] = {} if lease_over_at is None else {":now": lease_over_at}
        moved = _Change(
            run=run,
            change="SET #epoch = :next, #lapses_at = :soon REMOVE #owner, #leased_until",
            where=" AND #leased_until <= :now" if lost else "",
            values={":next": following.epoch, ":soon": int(self._clock.now()) + START_SECONDS, **lost},
        )
        try:
            self._table.transact(moved.update(), content_put(run, CONTINUATION, continuation))
        except ConditionFailedError as failed:
            old = failed.old[0]
            if not old or row(old, _RunRow).epoch != following.epoch or row(old, _RunRow).status.final:
                raise RunSupersededError(f"run {run.id} has ended or another execution owns it") from failed
        return following

    def continuation(self, run: Run) -> Continuation:
        """Return what was kept at the last hand-over, or the beginning where there was none."""
        with suppress(ContentMissingError):
            return self._runs.get_content(run, CONTINUATION, Continuation)
        return BEGINNING

    def overdue(self, *, limit: int) -> list[Overdue]:
        """Return the rows that the index has, as they are now: it may be behind, so one that has ended is left out."""
        now = self._clock.now()
        keys = [key for shard in SHARDS for key in self._table.keys_in(OPEN, shard, at_most=int(now), limit=limit)]
        return [found for found in map(_overdue, self._table.get_many(keys)) if not found.status.final]

    def look_again(self, run: Run, *, at: float) -> None:
        """Move the row in the index, unless it has left it."""
        moved = Update(
            key=run_key(run.tenant, run.id),
            change="SET #lapses_at = :at",
            condition="attribute_exists(#open)",
            values={":at": int(at)},
        )
        with suppress(ConditionFailedError):
            self._table.write(moved)


def _overdue(item: Item) -> Overdue:
    tenant, _, run_id = str(item["pk"]).partition("#")
    run = Run(id=run_id, tenant=Tenant(id=tenant), epoch=0, deadline=0.0)
    try:
        stored = row(item, _RunRow)
        contents = unpacked(stored.request, RunRequest).contents
    except RecordUnreadableError:
        return Overdue(run=run, status=RunStatus.ACCEPTED, unwanted=False, readable=False)
    run = replace(
        run,
        epoch=stored.epoch,
        deadline=stored.deadline,
        keep_until=stored.expires_at,
        contents_until=contents_until(contents, stored.deadline),
    )
    return Overdue(run=run, status=stored.status, unwanted=stored.unwanted, leased_until=stored.leased_until)
