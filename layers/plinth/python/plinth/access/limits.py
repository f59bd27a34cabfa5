"""Whether a run may start by its tenant's limits: a decision over the one row that holds how they stand.

Requests and tokens are rates (GCRA, one `tat` each). A running run holds a slot, which remembers what it took, so that
its end gives that back once: however often the end is told, the slot is there only the first time. A slot counts until
the run's deadline, so the one of a lost run frees itself.

Tokens are taken by estimate and corrected when the run ends, hence bounded and not exact. In any window of w seconds,
by clocks that differ by at most `skew`, the runs that are admitted use at most

    max(a minute's tokens, the largest estimate) + rate x (w + 2 x skew) + what was wrong at the edges

and wrong at the edges is what the estimates of runs in flight at the window's start were too high by, and those of
runs in flight at its end too low. Proof: debt is what `tat` is ahead of now. It rises by the estimate of each run,
changes by used - estimated at its end, falls with time at the rate, and is within the first term after each admission.
Summed over a window that ends at its last admission, each run that begins and ends inside counts as used; the others
are the edges.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from plinth.access.gcra import NANOS, Rate
from plinth.contracts.access import Tier
from plinth.contracts.limits import Admission, Left, LimitName
from plinth.contracts.runs import ModelCost, Run

_SLOT_SECONDS = 1.0  # runs end any moment: a caller who is refused a place asks again soon


class Slot(msgspec.Struct, frozen=True, array_like=True):
    """A running run: its deadline in Unix seconds, and the tokens that it took, at how many nanoseconds each."""

    until: int
    tokens: int = 0
    interval_ns: int = 0

    def correction_ns(self, used_tokens: int | None) -> int:
        """Return what the tokens' `tat` changes by when the run ends; nothing where nobody knows what it used."""
        return 0 if used_tokens is None else (used_tokens - self.tokens) * self.interval_ns


class LimitsRow(msgspec.Struct, frozen=True):
    """How a tenant's limits stand: two `tat` in nanoseconds, and the slots by run id, None before the first one."""

    requests: int = 0
    tokens: int = 0
    slots: dict[str, Slot] | None = None

    def running(self, now_ns: int) -> int:
        """Return how many slots count."""
        return sum(slot.until * NANOS > now_ns for slot in (self.slots or {}).values())

    def lost(self, now_ns: int) -> list[str]:
        """Return the runs whose slots count no more."""
        return [run_id for run_id, slot in (self.slots or {}).items() if slot.until * NANOS <= now_ns]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a run takes of its tier's limits at this moment; one that is answered already `holds` no place."""

    run: Run
    tier: Tier
    tokens: int
    now_ns: int
    holds: bool = True

    @property
    def rates(self) -> Mapping[LimitName, tuple[Rate, int]]:
        """The rates of the tier of which the run takes anything, and how many units of each."""
        units = {LimitName.REQUESTS: 1, LimitName.TOKENS: self.tokens}
        return {name: (rate, units[name]) for name, rate in rates_of(self.tier).items() if units[name]}

    @property
    def slot(self) -> Slot | None:
        """The slot that the run holds, or None where no limit needs to know that it runs."""
        tokens = rates_of(self.tier).get(LimitName.TOKENS)
        if not self.holds or (tokens is None and self.tier.concurrent_runs is None):
            return None
        until = -int(-self.run.deadline // 1)
        return Slot(until, self.tokens, tokens.interval_ns) if tokens else Slot(until)


def rates_of(tier: Tier) -> dict[LimitName, Rate]:
    """Return the tier's rates. A burst of tokens is a minute's; a run that needs more waits until nothing is taken."""
    rates: dict[LimitName, Rate] = {}
    if tier.requests_per_minute is not None:
        rates[LimitName.REQUESTS] = Rate(per_minute=tier.requests_per_minute, burst=tier.burst)
    if tier.tokens_per_minute is not None:
        rates[LimitName.TOKENS] = Rate(per_minute=tier.tokens_per_minute, burst=tier.tokens_per_minute)
    return rates


def tat_of(row: LimitsRow, name: LimitName) -> int:
    """Return a rate's `tat`."""
    return row.requests if name is LimitName.REQUESTS else row.tokens


def left_of(row: LimitsRow, tier: Tier, now_ns: int) -> tuple[Left, ...]:
    """Return what is left of each limit that the tier has."""
    left = [
        Left(
            limit=name,
            remaining=rate.remaining(tat_of(row, name), now_ns),
            seconds=rate.wait_seconds(tat_of(row, name), now_ns),
        )
        for name, rate in rates_of(tier).items()
    ]
    if tier.concurrent_runs is not None:
        free = max(0, tier.concurrent_runs - row.running(now_ns))
        left.append(Left(limit=LimitName.CONCURRENCY, remaining=free, seconds=0.0 if free else _SLOT_SECONDS))
    return tuple(left)


def refusal(row: LimitsRow, asked: Asked) -> Admission | None:
    """Return the refusal of the limit that lasts longest, or None where all admit the run."""
    waits = {
        name: rate.wait_seconds(tat_of(row, name), asked.now_ns, units=units)
        for name, (rate, units) in asked.rates.items()
    }
    limit = asked.tier.concurrent_runs if asked.holds else None
    waits[LimitName.CONCURRENCY] = _SLOT_SECONDS if limit is not None and row.running(asked.now_ns) >= limit else 0.0
    name, seconds = max(waits.items(), key=lambda wait: wait[1])
    left = left_of(row, asked.tier, asked.now_ns)
    return Admission(left=left, refused_by=name, retry_after_seconds=seconds) if seconds else None


def taken(row: LimitsRow, asked: Asked) -> LimitsRow:
    """Return the row after a run that no limit refuses has taken what it takes."""
    tats = {
        str(name): max(tat_of(row, name), asked.now_ns) + units * rate.interval_ns
        for name, (rate, units) in asked.rates.items()
    }
    slots = row.slots if asked.slot is None else {**(row.slots or {}), asked.run.id: asked.slot}
    return msgspec.structs.replace(row, **tats, slots=slots)


def given_back(row: LimitsRow, run_id: str, used_tokens: int | None, now_ns: int) -> LimitsRow:
    """Return the row after the end of a run: without its slot, and with the tokens that it really used."""
    slot = (row.slots or {}).get(run_id)
    if slot is None:
        return row
    slots = {each: kept for each, kept in (row.slots or {}).items() if each != run_id}
    correction = slot.correction_ns(used_tokens)
    tokens = max(row.tokens, now_ns) + correction if correction > 0 else row.tokens + correction
    return msgspec.structs.replace(row, tokens=tokens, slots=slots)


def used_by(calls: Sequence[ModelCost]) -> int | None:
    """Return the tokens of all calls of a run, or None where a call may have used tokens that nobody told."""
    if any(call.estimated for call in calls):
        return None
    return sum(
        call.input_tokens + call.cached_input_tokens + call.cache_write_tokens + call.output_tokens for call in calls
    )
