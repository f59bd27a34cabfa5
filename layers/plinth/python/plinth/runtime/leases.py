"""How an execution keeps its run while it waits for a model, and learns that nobody needs its work any more."""

from contextlib import suppress

from plinth.chain.executions import RENEWAL_SECONDS
from plinth.contracts.runs import Run, RunRecord
from plinth.errors import RunSupersededError, TransientError
from plinth.wiring import Services


def require_own(run: Run, record: RunRecord) -> None:
    """Raise `RunSupersededError` unless the run, as it stands, is still this execution's."""
    if not _belongs(record, run):
        raise RunSupersededError(f"run {run.id} has ended or another execution owns it")


class Lease:
    """An execution's hold on its run. A short call, as most are, never renews it: a write costs money."""

    def __init__(self, run: Run, services: Services) -> None:
        self._run = run
        self._services = services
        self._renewed_at = services.clock.now()

    def over(self) -> bool:
        """Return whether the run was cancelled or is another execution's by now; renew the lease when that is due.

        A store that does not answer lets the model go on.
        """
        with suppress(TransientError):
            now = self._services.clock.now()
            if now - self._renewed_at >= RENEWAL_SECONDS:
                self._services.executions.renew(self._run)
                self._renewed_at = now
            record = self._services.runs.get(self._run.tenant, self._run.id)
            return record.unwanted or not _belongs(record, self._run)
        return False

    def outlast(self, wait_seconds: float) -> None:
        """Hold the run through a wait in which nobody renews anything."""
        if wait_seconds >= RENEWAL_SECONDS:
            with suppress(TransientError):
                self._services.executions.renew(self._run, wait_seconds=wait_seconds)


def _belongs(record: RunRecord, run: Run) -> bool:
    return record.epoch == run.epoch and not record.status.final
