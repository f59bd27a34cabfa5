"""The time, so that tests can own it."""

from typing import Protocol


class Clock(Protocol):
    """Time, so that tests can own it."""

    def now(self) -> float:
        """Return Unix time in seconds."""
        ...
