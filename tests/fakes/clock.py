"""A clock that stands still until a test moves it."""


class FakeClock:
    """`Clock` at a fixed time in Unix seconds."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the time on."""
        self._now += seconds
