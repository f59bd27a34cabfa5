"""When a request is admitted: the generic cell rate algorithm (GCRA), in whole microseconds.

`tat` is the theoretical arrival time: when the allowance is full again. Each request adds one interval to it, and
is admitted while the sum stays within `burst` intervals from now. Source: ITU-T I.371, annex on GCRA.
"""

from dataclasses import dataclass

from plinth.contracts.access import Admission

_MICROS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A steady rate with a burst. The interval is rounded up, so that no rounding admits more."""

    requests_per_minute: int
    burst: int

    @property
    def interval_us(self) -> int:
        """Microseconds that one request takes from the allowance."""
        return -(-60 * _MICROS // self.requests_per_minute)

    def latest_tat_us(self, now_us: int) -> int:
        """Return the largest `tat` at which one more request is admitted."""
        return now_us + (self.burst - 1) * self.interval_us

    def admitted(self, tat_us: int, now_us: int) -> Admission:
        """Return the admission that left `tat` at `tat_us`."""
        free_us = now_us + self.burst * self.interval_us - tat_us
        return Admission(admitted=True, remaining=free_us // self.interval_us, retry_after_seconds=0.0)

    def denied(self, tat_us: int, now_us: int) -> Admission:
        """Return the refusal that met `tat_us`, with the time until the next request is admitted."""
        wait_us = tat_us - self.latest_tat_us(now_us)
        return Admission(admitted=False, remaining=0, retry_after_seconds=wait_us / _MICROS)
