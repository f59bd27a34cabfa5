"""How a function's call is measured: from its start, in time and in what the adapters counted."""

import time

from plinth.adapters.meter import Meter
from plinth.contracts.events import Details, StepEnded
from plinth.contracts.platform import Spent
from plinth.runtime.state_visits import OUTSIDE, StateVisit


class Measured:
    """A call that began now, in a function of this memory."""

    def __init__(
        self, step: str, *, meter: Meter, memory_mb: int, cold: bool = False, visit: StateVisit = OUTSIDE
    ) -> None:
        self._step = step
        self._visit = visit
        self._meter = meter
        self._memory_mb = memory_mb
        self._cold = cold
        self._started_at, self._started = time.time(), time.perf_counter()
        self._before = (meter.read_units, meter.write_units, meter.searches)

    def ended(self, outcome: str = "ok", *, writing: float = 0.0, details: Details | None = None) -> StepEnded:
        """Return the step as if it ended now, and wrote so many units more."""
        read, written, searched = self._before
        return StepEnded(
            step=self._step,
            started_at=self._started_at,
            duration_ms=round((time.perf_counter() - self._started) * 1000, 3),
            cold=self._cold,
            outcome=outcome,
            spent=Spent(
                memory_mb=self._memory_mb,
                read_units=self._meter.read_units - read,
                write_units=self._meter.write_units - written + writing,
                searches=self._meter.searches - searched,
            ),
            entered_at=self._visit.entered_at,
            retry=self._visit.retry,
            details=details or {},
        )
