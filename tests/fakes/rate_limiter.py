"""The request limit in memory, by the same arithmetic."""

from threading import Lock

from plinth.access.gcra import Rate
from plinth.contracts.access import Admission
from plinth.contracts.tenant import Tenant
from plinth.ports import Clock


class FakeRateLimiter:
    """`RateLimiter` under a lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._tats: dict[Tenant, int] = {}

    def admit(self, tenant: Tenant, *, requests_per_minute: int, burst: int) -> Admission:
        rate = Rate(requests_per_minute=requests_per_minute, burst=burst)
        now_us = int(self._clock.now() * 1_000_000)
        with self._lock:
            tat_us = max(self._tats.get(tenant, 0), now_us)
            if tat_us > rate.latest_tat_us(now_us):
                return rate.denied(tat_us, now_us)
            self._tats[tenant] = tat_us + rate.interval_us
            return rate.admitted(self._tats[tenant], now_us)
