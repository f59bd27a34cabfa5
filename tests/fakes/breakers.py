"""Circuit breakers in memory, by the rules of the real ones."""

from threading import Lock

from plinth.adapters.dynamo_breakers import FAILURES, OPEN_SECONDS, WINDOW_SECONDS
from plinth.contracts.models import Breaker
from plinth.ports.clock import Clock


class FakeBreakers:
    """`Breakers` in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._rows: dict[str, tuple[int, float, float]] = {}

    def look(self, model: str) -> Breaker:
        with self._lock:
            failures, since, until = self._rows.get(model, (0, 0.0, 0.0))
            now = self._clock.now()
            if failures >= FAILURES:
                if until > now:
                    return Breaker(failing=True, open_until=max(until, now + 1))
                self._rows[model] = (failures, since, now + OPEN_SECONDS)
            return Breaker(failing=failures > 0)

    def failed(self, model: str) -> None:
        with self._lock:
            failures, since, _ = self._rows.get(model, (0, 0.0, 0.0))
            now = self._clock.now()
            if failures == 0 or (failures < FAILURES and since < now - WINDOW_SECONDS):
                self._rows[model] = (1, now, 0.0)
            else:
                self._rows[model] = (failures + 1, since, now + OPEN_SECONDS)

    def succeeded(self, model: str) -> None:
        with self._lock:
            self._rows.pop(model, None)
