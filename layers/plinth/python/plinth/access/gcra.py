"""When something is admitted: the generic cell rate algorithm (GCRA), in whole nanoseconds.

`tat` is the theoretical arrival time: when the allowance is full again. Each unit adds one interval to it, and units
are admitted while the sum stays within `burst` intervals from now. Source: ITU-T I.371, annex on GCRA.
"""

from dataclasses import dataclass

NANOS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A steady rate with a burst. The interval is rounded up, so that no rounding admits more."""

    per_minute: int
    burst: int

    @property
    def interval_ns(self) -> int:
        """Nanoseconds that one unit takes from the allowance."""
        return -(-60 * NANOS // self.per_minute)

    def latest_tat_ns(self, now_ns: int, *, units: int = 1) -> int:
        """Return the largest `tat` at which so many units are admitted; more than a burst, while nothing is taken."""
        return now_ns + max(0, self.burst - units) * self.interval_ns

    def remaining(self, tat_ns: int, now_ns: int) -> int:
        """Return how many units may come at once."""
        return max(0, now_ns + self.burst * self.interval_ns - max(tat_ns, now_ns)) // self.interval_ns

    def wait_seconds(self, tat_ns: int, now_ns: int, *, units: int = 1) -> float:
        """Return the seconds until so many units are admitted, or 0."""
        return max(0, tat_ns - self.latest_tat_ns(now_ns, units=units)) / NANOS
