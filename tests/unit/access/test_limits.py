"""Limits by tier: a refusal takes nothing, and the tokens of any window stay within the stated bound."""

from dataclasses import dataclass, replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.access.gcra import NANOS
from plinth.access.limits import Asked, LimitsRow, given_back, left_of, refusal, taken
from plinth.access.shedding import is_shed
from plinth.contracts.access import Priority, Tier
from plinth.contracts.limits import LimitName
from plinth.contracts.runs import Run
from tests.unit.access.world import ALICE

UNLIMITED = Tier(name="any", models=("m",), max_output_tokens=1)


def asked(tier: Tier, number: int = 1, *, tokens: int = 1, now_ns: int = 0, deadline: float = 10.0) -> Asked:
    run = Run(id=f"run_{number}", tenant=ALICE, epoch=1, deadline=deadline)
    return Asked(run=run, tier=tier, tokens=tokens, now_ns=now_ns)


@dataclass(kw_only=True)
class Ran:
    """A run of the simulation: when it was admitted and ended, and its tokens; `ended_ns` is None of a lost run."""

    admitted_ns: int
    ended_ns: int | None
    estimated: int
    used: int


RUNS = st.lists(
    st.tuples(
        st.integers(0, 3 * NANOS), st.integers(1, 400), st.integers(0, 900), st.integers(0, 5 * NANOS) | st.none()
    ),
    min_size=1,
    max_size=25,
)


def simulate(per_minute: int, wishes: list[tuple[int, int, int, int | None]]) -> list[Ran]:
    """Ask for runs (pause, estimate, use, duration) one after another, and end each when its time has come."""
    tier = replace(UNLIMITED, tokens_per_minute=per_minute)
    row, now_ns = LimitsRow(), 0
    ran: dict[int, Ran] = {}
    for number, (pause_ns, estimated, used, lasts_ns) in enumerate(wishes):
        now_ns += pause_ns
        ending = [(run.ended_ns, each) for each, run in ran.items() if run.ended_ns is not None]
        for ended_ns, each in sorted(ending):
            if ended_ns <= now_ns:
                row = given_back(row, f"run_{each}", ran[each].used, ended_ns)
        this = asked(tier, number, tokens=estimated, now_ns=now_ns, deadline=1e9)
        if refusal(row, this) is None:
            row = taken(row, this)
            ended_ns = None if lasts_ns is None else now_ns + lasts_ns
            ran[number] = Ran(admitted_ns=now_ns, ended_ns=ended_ns, estimated=estimated, used=used)
    return list(ran.values())


@pytest.mark.guarantee_c
@given(per_minute=st.integers(60, 3000), wishes=RUNS)
def test_no_window_uses_more_tokens_than_the_rate_and_what_was_wrong_at_its_edges(
    per_minute: int, wishes: list[tuple[int, int, int, int | None]]
) -> None:
    ran = simulate(per_minute, wishes)
    for first, opening in enumerate(ran):
        for last, closing in enumerate(ran[first:], start=first):
            start, end = opening.admitted_ns, closing.admitted_ns
            inside = ran[first : last + 1]
            too_high = sum(
                max(0, run.estimated - run.used) for run in ran[:first] if run.ended_ns and run.ended_ns >= start
            )
            too_low = sum(
                max(0, run.used - run.estimated) for run in inside if run.ended_ns is None or run.ended_ns >= end
            )
            burst = max(per_minute, *(run.estimated for run in ran))
            allowed = burst + per_minute * (end - start) / (60 * NANOS) + too_high + too_low
            assert sum(run.used for run in inside) <= allowed + 1e-6


@pytest.mark.guarantee_c
def test_the_end_of_a_run_counts_once_however_often_it_is_told() -> None:
    tier = replace(UNLIMITED, tokens_per_minute=1000, concurrent_runs=1)
    row = taken(LimitsRow(), asked(tier, tokens=900))

    once = given_back(row, "run_1", 100, 0)
    twice = given_back(once, "run_1", 100, 0)

    assert once == twice
    assert [(left.limit, left.remaining) for left in left_of(once, tier, 0)] == [("tokens", 900), ("concurrency", 1)]


@pytest.mark.guarantee_c
def test_a_run_that_used_more_than_estimated_is_repaid_by_those_after_it() -> None:
    tier = replace(UNLIMITED, tokens_per_minute=60)
    row = given_back(taken(LimitsRow(), asked(tier, tokens=10)), "run_1", 70, 0)

    refused = refusal(row, asked(tier, 2))

    assert refused is not None
    assert (refused.refused_by, refused.retry_after_seconds) == (LimitName.TOKENS, 11.0)


def test_a_run_whose_bill_nobody_knows_keeps_its_estimate() -> None:
    row = taken(LimitsRow(), asked(replace(UNLIMITED, tokens_per_minute=60), tokens=10))

    assert given_back(row, "run_1", None, 0) == msgspec.structs.replace(row, slots={})


@pytest.mark.guarantee_c
def test_a_lost_runs_place_is_free_at_its_deadline_and_not_before() -> None:
    tier = replace(UNLIMITED, concurrent_runs=1)
    row = taken(LimitsRow(), asked(tier, deadline=10.0))

    assert refusal(row, asked(tier, 2, now_ns=10 * NANOS - 1)) is not None
    assert refusal(row, asked(tier, 2, now_ns=10 * NANOS)) is None


def test_a_tier_without_limits_takes_nothing_and_refuses_nobody() -> None:
    this = asked(UNLIMITED)

    assert refusal(LimitsRow(), this) is None
    assert taken(LimitsRow(), this) == LimitsRow()
    assert left_of(LimitsRow(), UNLIMITED, 0) == ()


@pytest.mark.parametrize(("priority", "places"), [(Priority.LOW, 7), (Priority.NORMAL, 9), (Priority.HIGH, 10)])
def test_the_last_places_are_kept_for_those_of_higher_priority(priority: Priority, places: int) -> None:
    free = [running for running in range(12) if not is_shed(running, capacity=10, priority=priority)]

    assert free == list(range(places))
