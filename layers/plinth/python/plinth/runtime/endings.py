"""How a run ends: its last events in one write, then its row, so that a retry neither doubles nor loses them."""

from collections.abc import Sequence

from plinth.contracts.events import Event, RunEnded
from plinth.contracts.runs import Failure, Receipt, Run, RunStatus
from plinth.wiring import Services


def end_run(
    run: Run, last_events: Sequence[Event], *, receipt: Receipt | None, failure: Failure | None, services: Services
) -> None:
    """Append the last events unless the log has ended, then end the row. Without a failure the run is DONE."""
    logged = services.run_log.read(run.tenant, run.id, after=0)
    if not any(isinstance(entry.event, RunEnded) for entry in logged):
        services.run_log.append(run, last_events)
    status = RunStatus.FAILED if failure else RunStatus.DONE
    services.runs.finish(run, status, receipt=receipt, failure=failure)
