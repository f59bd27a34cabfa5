"""Which clock production runs by."""

import time


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        """Return Unix time in seconds."""
        return time.time()
