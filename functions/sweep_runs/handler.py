"""sweep_runs: each minute, look after the runs that should have been begun, or have ended, by now."""

from typing import Any

from plinth.access.log_lines import logger_of
from plinth.errors import PlinthError, StoreUnavailableError
from plinth.runtime.lost_runs import look_after
from plinth.wiring import Services

LIMIT = 100

_services = Services()


def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """Sweep once; raise `StoreUnavailableError` where a run could not be looked after, which an alarm counts."""
    ended = failed = 0
    for found in _services.executions.overdue(limit=LIMIT):
        try:
            ended += look_after(found, _services)
        except PlinthError as error:
            failed += 1
            logger_of("SweepRuns").warning("not looked after", run_id=found.run.id, error=type(error).__name__)
    if ended:
        logger_of("SweepRuns").warning("ended runs whose execution was lost", ended=ended)
    if failed:
        raise StoreUnavailableError(f"{failed} runs could not be looked after: the next sweep tries again")
    return {"ended": ended}
