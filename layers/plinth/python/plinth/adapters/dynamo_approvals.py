"""What makes a run wait for a person, and go on once: conditions on its row, in one transaction with the log."""

from collections.abc import Sequence

import msgspec

from plinth.adapters.dynamo_executions import CONTINUATION
from plinth.adapters.dynamo_run_log import DynamoRunLog
from plinth.adapters.dynamo_runs import START_SECONDS, content_put, run_key
from plinth.adapters.dynamodb_items import Value, packed, row
from plinth.adapters.dynamodb_table import ConditionFailedError, Table, Update
from plinth.chain.executions import paused, resumed
from plinth.contracts.approvals import Approval
from plinth.contracts.events import Event
from plinth.contracts.executions import Continuation
from plinth.contracts.runs import Run, RunStatus
from plinth.errors import ModelCancelledError, RunSupersededError
from plinth.ports.clock import Clock
from plinth.tools.approvals import open_approvals


class _RunRow(msgspec.Struct):
    status: RunStatus
    epoch: int
    unwanted: bool = False


class DynamoApprovals:
    """`Approvals` in the row of the run. How many are decided tells one state of them from the next."""

    def __init__(self, *, table: Table, log: DynamoRunLog, clock: Clock) -> None:
        self._table = table
        self._log = log
        self._clock = clock

    def ask(self, run: Run, approvals: Sequence[Approval], continuation: Continuation, events: Sequence[Event]) -> Run:
        """Raise the epoch and keep everything; what was asked already stays so."""
        until = max(approval.expires_at for approval in open_approvals(approvals))
        following = paused(run, now=self._clock.now(), until=until)
        change = Update(
            key=run_key(run.tenant, run.id),
            change="SET #status = :waits, #epoch = :next, #deadline = :deadline, #lapses_at = :until, "
            "#approvals = :approvals, #decided = :decided REMOVE #owner, #leased_until",
            condition="#epoch = :epoch AND #status = :running AND attribute_not_exists(#unwanted)",
            values={
                ":epoch": run.epoch,
                ":next": following.epoch,
                ":running": RunStatus.RUNNING,
                ":waits": RunStatus.AWAITING_APPROVAL,
                ":deadline": following.deadline,
                ":until": int(until),
                **_stored(approvals),
            },
        )
        try:
            self._log.append(following, events, along=[change, content_put(run, CONTINUATION, continuation)])
        except ConditionFailedError as failed:
            _require_asked(following, failed)
        return following

    def decide(
        self, run: Run, before: Sequence[Approval], after: Sequence[Approval], events: Sequence[Event]
    ) -> Run | None:
        """Set the approvals, and with the last decision the status."""
        left, now = open_approvals(after), self._clock.now()
        until = max(approval.expires_at for approval in open_approvals(before))
        following = run if left else resumed(run, now=now, until=until)
        goes_on = "" if left else ", #status = :running, #deadline = :deadline, #lapses_at = :soon"
        values: dict[str, Value] = {} if left else {":running": RunStatus.RUNNING, ":deadline": following.deadline}
        change = Update(
            key=run_key(run.tenant, run.id),
            change="SET #approvals = :approvals, #decided = :decided" + goes_on,
            condition="#epoch = :epoch AND #status = :waits AND #decided = :before",
            values={
                ":epoch": run.epoch,
                ":waits": RunStatus.AWAITING_APPROVAL,
                ":before": len(before) - len(open_approvals(before)),
                **_stored(after),
                **values,
                **({} if left else {":soon": int(now) + START_SECONDS}),
            },
        )
        try:
            self._log.append(run, events, along=[change])
        except (ConditionFailedError, RunSupersededError):
            return None
        return following

    def use(self, run: Run, call: str) -> bool:
        """Add the call to those that were begun."""
        used = Update(
            key=run_key(run.tenant, run.id),
            change="SET #begun = list_append(if_not_exists(#begun, :none), :call)",
            condition="#epoch = :epoch AND #status = :running AND NOT contains(#begun, :name)",
            values={
                ":epoch": run.epoch,
                ":running": RunStatus.RUNNING,
                ":none": [],
                ":call": [call],
                ":name": call,
            },
        )
        try:
            self._table.write(used)
        except ConditionFailedError:
            return False
        return True


def _stored(approvals: Sequence[Approval]) -> dict[str, Value]:
    return {":approvals": packed(approvals), ":decided": len(approvals) - len(open_approvals(approvals))}


def _require_asked(following: Run, failed: ConditionFailedError) -> None:
    """Raise the error of a run that can't wait, unless it does so already."""
    old = failed.old[0]
    stands = row(old, _RunRow) if old else None
    if stands and stands.epoch == following.epoch and not stands.status.final:
        return
    if stands and stands.epoch < following.epoch and stands.unwanted:
        raise ModelCancelledError("nobody wants the answer any more") from failed
    raise RunSupersededError(f"run {following.id} has ended or another execution owns it") from failed
