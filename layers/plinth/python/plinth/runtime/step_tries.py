"""How a try that failed comes into its run's log, although its state machine keeps no word of it."""

from contextlib import suppress

from plinth.contracts.events import StepEnded, StepTried
from plinth.contracts.runs import Run
from plinth.errors import PlinthError
from plinth.wiring import Services

APPEND_SECONDS = 7.0
"""The longest that `Services.side_log` needs for one append: a read and a write of 3 s each, and a margin."""


def log_try(run: Run, ended: StepEnded, services: Services, *, seconds_left: float) -> None:
    """Append the try, unless that could make a failed function a killed one, which its state would not repeat."""
    if seconds_left < APPEND_SECONDS:
        return
    tried = StepTried(
        step=ended.step,
        started_at=ended.started_at,
        duration_ms=ended.duration_ms,
        outcome=ended.outcome,
        cold=ended.cold,
        entered_at=ended.entered_at,
        retry=ended.retry,
        details=ended.details,
    )
    with suppress(PlinthError):
        services.side_log.append(run, [tried])
