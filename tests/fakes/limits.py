"""The limits in memory, by the same decisions."""

import math
from threading import Lock

import msgspec

from plinth.access.limits import Asked, LimitsRow, given_back, left_of, refusal, taken
from plinth.access.shedding import SHED_SECONDS, is_shed
from plinth.contracts.access import Tier
from plinth.contracts.limits import Admission, Left, LimitName
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from plinth.ports.clock import Clock


class FakeLimits:
    """`Limits` under a lock."""

    def __init__(self, clock: Clock, *, capacity: int | None = None) -> None:
        self.capacity = capacity
        self.rows: dict[Tenant, LimitsRow] = {}
        self.running: dict[str, float] = {}
        self._clock = clock
        self._lock = Lock()

    def admit(self, run: Run, tier: Tier, *, tokens: int, holds: bool = True) -> Admission:
        asked = Asked(run=run, tier=tier, tokens=tokens, now_ns=self._now_ns(), holds=holds)
        with self._lock:
            running = sum(deadline > self._clock.now() for deadline in self.running.values())
            if holds and self.capacity is not None and is_shed(running, capacity=self.capacity, priority=tier.priority):
                return Admission(refused_by=LimitName.OVERLOAD, retry_after_seconds=SHED_SECONDS)
            row = self.rows.get(run.tenant, LimitsRow())
            if refused := refusal(row, asked):
                return refused
            self.rows[run.tenant] = taken(row, asked)
            if holds:
                self.running[run.id] = run.deadline
            return Admission(left=left_of(self.rows[run.tenant], tier, asked.now_ns))

    def ended(self, run: Run, *, used_tokens: int | None) -> None:
        with self._lock:
            self.running.pop(run.id, None)
            row = self.rows.get(run.tenant, LimitsRow())
            self.rows[run.tenant] = given_back(row, run.id, used_tokens, self._now_ns())

    def prolong(self, run: Run) -> None:
        with self._lock:
            if run.id in self.running:
                self.running[run.id] = run.deadline
            row = self.rows.get(run.tenant, LimitsRow())
            if slot := (row.slots or {}).get(run.id):
                longer = msgspec.structs.replace(slot, until=math.ceil(run.deadline))
                slots = {**(row.slots or {}), run.id: longer}
                self.rows[run.tenant] = msgspec.structs.replace(row, slots=slots)

    def left(self, tenant: Tenant, tier: Tier) -> tuple[Left, ...]:
        return left_of(self.rows.get(tenant, LimitsRow()), tier, self._now_ns())

    def _now_ns(self) -> int:
        return int(self._clock.now() * 1_000_000) * 1_000
