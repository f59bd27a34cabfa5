"""How a tenant's limits hold among many callers: one conditional update of one row takes from all limits or from none.

The update starts from a guess of how the row stands, and its condition holds only if the guess did. Where it fails,
DynamoDB gives the row that failed it: that row decides a refusal, or is the next guess. No read decides.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from plinth.access.gcra import NANOS
from plinth.access.limits import Asked, LimitsRow, Slot, given_back, left_of, rates_of, refusal, taken, tat_of
from plinth.adapters.dynamo_running import DynamoRunning
from plinth.adapters.dynamodb_items import Value, row
from plinth.adapters.dynamodb_table import ConditionFailedError, Key, Table, Update
from plinth.contracts.access import Tier
from plinth.contracts.limits import Admission, Left
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from plinth.errors import StoreUnavailableError, TransientError
from plinth.ports.clock import Clock

_KEEP_SECONDS = 86_400  # a full allowance says nothing; a day leaves room for any clock skew
_ROUNDS = 20  # each is lost to another caller of the same tenant who got on
_PRUNED_AT_ONCE = 50  # names in one expression: DynamoDB takes 4 KB of it
_IDLE = LimitsRow(slots={})


@dataclass(kw_only=True)
class _Change:
    """An update in the making."""

    sets: list[str] = field(default_factory=list[str])
    removes: list[str] = field(default_factory=list[str])
    conditions: list[str] = field(default_factory=list[str])
    values: dict[str, Value] = field(default_factory=dict[str, Value])

    def update(self, key: Key) -> Update:
        """Return the whole update."""
        parts = [f"SET {', '.join(self.sets)}"] if self.sets else []
        parts += [f"REMOVE {', '.join(self.removes)}"] if self.removes else []
        condition = " AND ".join(self.conditions) or None
        return Update(key=key, change=" ".join(parts), condition=condition, values=self.values)


class DynamoLimits:
    """`Limits` on the tenant's row LIMITS. A write that was made twice only admits less."""

    def __init__(self, *, table: Table, clock: Clock, running: DynamoRunning | None = None) -> None:
        self._table = table
        self._clock = clock
        self._running = running

    def admit(self, run: Run, tier: Tier, *, tokens: int, holds: bool = True) -> Admission:
        """Look whether the environment has a place, then take from the tenant's row, then take the place."""
        if holds and self._running and (shed := self._running.refusal(tier.priority)):
            return shed
        admission = self._take(Asked(run=run, tier=tier, tokens=tokens, now_ns=self._now_ns(), holds=holds))
        if holds and self._running and admission.admitted:
            self._running.enter(run)
        return admission

    def ended(self, run: Run, *, used_tokens: int | None) -> None:
        """Give the slot back and correct the tokens, once. What fails here ends with the run's deadline."""
        if self._running:
            self._running.leave(run)
        with suppress(TransientError):
            self._give_back(run, used_tokens)

    def prolong(self, run: Run) -> None:
        """Change the time in the slot. Where this fails the slot counts until the deadline before."""
        if self._running:
            self._running.enter(run)
        until: Mapping[str, Value] = {":until": math.ceil(run.deadline)}
        held = f"attribute_exists(#slots.#{run.id})"
        longer = Update(key=_key(run.tenant), change=f"SET #slots.#{run.id}[0] = :until", condition=held, values=until)
        with suppress(TransientError, ConditionFailedError):
            self._table.write(longer)

    def left(self, tenant: Tenant, tier: Tier) -> tuple[Left, ...]:
        """Return how the tenant's row stands."""
        if not rates_of(tier) and tier.concurrent_runs is None:
            return ()
        return left_of(_row(self._table.get(_key(tenant)) or {}), tier, self._now_ns())

    def _now_ns(self) -> int:
        return math.floor(self._clock.now() * 1_000_000) * 1_000

    def _take(self, asked: Asked) -> Admission:
        known = _IDLE
        if not asked.rates and asked.slot is None:
            return Admission()
        for _ in range(_ROUNDS):
            lost = known.lost(asked.now_ns)
            if lost:
                known = self._prune(asked.run.tenant, lost, known)
            try:
                stands = _row(self._table.write(_taking(known, asked)))
            except ConditionFailedError as failed:
                known = _row(failed.old[0] or {})
                if asked.run.id in (known.slots or {}):  # our own write, whose answer was lost
                    return Admission(left=left_of(known, asked.tier, asked.now_ns))
                if refused := refusal(known, asked):
                    return refused
            else:
                return Admission(left=left_of(stands, asked.tier, asked.now_ns))
        raise StoreUnavailableError("other runs kept changing the tenant's limits: try again later")

    def _prune(self, tenant: Tenant, lost: Sequence[str], known: LimitsRow) -> LimitsRow:
        pruned = lost[:_PRUNED_AT_ONCE]
        change = _Change(removes=[f"#slots.#{run_id}" for run_id in pruned], conditions=["attribute_exists(#slots)"])
        with suppress(ConditionFailedError):
            self._table.write(change.update(_key(tenant)))
        slots = {run_id: slot for run_id, slot in (known.slots or {}).items() if run_id not in pruned}
        return LimitsRow(requests=known.requests, tokens=known.tokens, slots=slots)

    def _give_back(self, run: Run, used_tokens: int | None) -> None:
        known, now_ns = _row(self._table.get(_key(run.tenant)) or {}), self._now_ns()
        for _ in range(_ROUNDS):
            if run.id not in (known.slots or {}):
                return
            after = given_back(known, run.id, used_tokens, now_ns)
            try:
                self._table.write(_ending(run, known, after, now_ns))
            except ConditionFailedError as failed:
                known = _row(failed.old[0] or {})
            else:
                return


def _key(tenant: Tenant) -> Key:
    return f"TENANT#{tenant.id}", "LIMITS"


def _row(item: Mapping[str, Value]) -> LimitsRow:
    return row(item, LimitsRow)


def _taking(known: LimitsRow, asked: Asked) -> Update:
    """Return the update that takes what the run takes, if the row stands as far as it matters as `known` does."""
    after = taken(known, asked)
    full_at = max(asked.now_ns, after.requests, after.tokens) // NANOS
    change = _Change(sets=["#expires_at = :expires_at"], values={":expires_at": full_at + _KEEP_SECONDS})
    for name, (rate, units) in asked.rates.items():
        tat, cost = tat_of(known, name), units * rate.interval_ns
        change.values[":now"] = asked.now_ns
        if tat <= asked.now_ns:
            change.conditions.append(f"(attribute_not_exists(#{name}) OR #{name} <= :now)")
            change.sets.append(f"#{name} = :{name}_next")
            change.values[f":{name}_next"] = asked.now_ns + cost
        else:
            change.conditions.append(f"#{name} > :now AND #{name} <= :{name}_latest")
            change.sets.append(f"#{name} = #{name} + :{name}_cost")
            change.values |= {f":{name}_latest": rate.latest_tat_ns(asked.now_ns, units=units), f":{name}_cost": cost}
    if asked.slot is not None:
        _add_slot(change, known, asked, asked.slot)
    return change.update(_key(asked.run.tenant))


def _add_slot(change: _Change, known: LimitsRow, asked: Asked, slot: Slot) -> None:
    stored: Value = [slot.until, slot.tokens, slot.interval_ns]
    if known.slots is None:
        change.conditions.append("attribute_not_exists(#slots)")
        change.sets.append("#slots = :slots")
        change.values[":slots"] = {asked.run.id: stored}
        return
    change.conditions.append(f"attribute_exists(#slots) AND attribute_not_exists(#slots.#{asked.run.id})")
    change.sets.append(f"#slots.#{asked.run.id} = :slot")
    change.values[":slot"] = stored
    if asked.tier.concurrent_runs is not None:
        change.conditions.append("size(#slots) < :places")
        change.values[":places"] = asked.tier.concurrent_runs


def _ending(run: Run, known: LimitsRow, after: LimitsRow, now_ns: int) -> Update:
    """Return the update that removes the slot, and those of lost runs, and corrects the tokens."""
    lost = [run_id for run_id in known.lost(now_ns) if run_id != run.id][:_PRUNED_AT_ONCE]
    change = _Change(
        removes=[f"#slots.#{run_id}" for run_id in (run.id, *lost)],
        conditions=[f"attribute_exists(#slots.#{run.id})"],
    )
    correction_ns = after.tokens - known.tokens
    if correction_ns > 0 and known.tokens <= now_ns:
        change.conditions.append("#tokens <= :now")
        change.sets.append("#tokens = :next")
        change.values |= {":now": now_ns, ":next": after.tokens}
    elif correction_ns:
        change.conditions += ["#tokens > :now"] if correction_ns > 0 else []
        change.sets.append("#tokens = #tokens + :correction")
        change.values |= {":correction": correction_ns, **({":now": now_ns} if correction_ns > 0 else {})}
    return change.update(_key(run.tenant))
