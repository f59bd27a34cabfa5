"""sweep_budgets: each minute, end the reservations of calls that nobody ended: give back or charge what was started."""

from typing import Any

from plinth.access.log_lines import logger_of
from plinth.errors import StoreUnavailableError
from plinth.wiring import Services

LIMIT = 100

_services = Services()


def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """Sweep once; raise `StoreUnavailableError` where a reservation could not be ended, which an alarm counts."""
    swept = _services.ledger.sweep(limit=LIMIT)
    if swept.refunded or swept.charged:
        logger_of("SweepBudgets").warning("swept", refunded=swept.refunded, charged=swept.charged)
    if swept.failed:
        raise StoreUnavailableError(f"{swept.failed} reservations could not be ended: the next sweep tries again")
    return {"refunded": swept.refunded, "charged": swept.charged}
