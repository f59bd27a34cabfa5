"""What runs ask a person, in memory beside a `FakeRuns`."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from plinth.chain.executions import paused, resumed
from plinth.contracts.approvals import Approval
from plinth.contracts.events import Event
from plinth.contracts.executions import Continuation
from plinth.contracts.runs import Run, RunStatus
from plinth.errors import ModelCancelledError, RunSupersededError
from plinth.tools.approvals import open_approvals
from tests.fakes.runs import START_SECONDS, FakeRunLog, FakeRuns, RunRow


class FakeApprovals:
    """`Approvals` under the lock of the runs."""

    def __init__(self, runs: FakeRuns) -> None:
        self._runs = runs
        self._log = FakeRunLog(runs)
        self.begun: set[tuple[str, str]] = set()

    def ask(self, run: Run, approvals: Sequence[Approval], continuation: Continuation, events: Sequence[Event]) -> Run:
        now, until = self._runs.clock.now(), max(each.expires_at for each in open_approvals(approvals))
        following = paused(run, now=now, until=until)
        with self._runs.lock:
            if row := self._row(run, RunStatus.RUNNING):
                if row.record.unwanted:
                    raise ModelCancelledError("nobody wants the answer any more")
                self._log.append(following, events)
                row.record = replace(
                    row.record,
                    status=RunStatus.AWAITING_APPROVAL,
                    epoch=following.epoch,
                    deadline=following.deadline,
                    approvals=tuple(approvals),
                )
                row.owner, row.leased_until, row.lapses_at = None, 0.0, int(until)
                row.contents["continuation"] = (run.epoch, msgspec.json.encode(continuation))
            elif not (stands := self._runs.rows.get((run.tenant, run.id))) or (
                not stands.open or stands.record.epoch != following.epoch
            ):
                raise RunSupersededError(f"run {run.id} has ended or another execution owns it")
        return following

    def decide(
        self, run: Run, before: Sequence[Approval], after: Sequence[Approval], events: Sequence[Event]
    ) -> Run | None:
        now = self._runs.clock.now()
        with self._runs.lock:
            row = self._row(run, RunStatus.AWAITING_APPROVAL)
            if row is None or row.record.approvals != tuple(before):
                return None
            self._log.append(run, events)
            row.record = replace(row.record, approvals=tuple(after))
            if open_approvals(after):
                return run
            following = resumed(run, now=now, until=max(each.expires_at for each in open_approvals(before)))
            row.record = replace(row.record, status=RunStatus.RUNNING, deadline=following.deadline)
            row.lapses_at = int(now) + START_SECONDS
            return following

    def use(self, run: Run, call: str) -> bool:
        with self._runs.lock:
            if self._row(run, RunStatus.RUNNING) is None or (run.id, call) in self.begun:
                return False
            self.begun.add((run.id, call))
            return True

    def _row(self, run: Run, status: RunStatus) -> RunRow | None:
        row = self._runs.rows.get((run.tenant, run.id))
        return row if row and row.record.epoch == run.epoch and row.record.status is status else None
