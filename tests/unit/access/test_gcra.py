"""The arithmetic of the rate limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.access.gcra import NANOS, Rate

MINUTE_NS = 60 * NANOS


@pytest.mark.parametrize(("per_minute", "interval_ns"), [(60, NANOS), (7, 8_571_428_572), (60_000_000_001, 1)])
def test_the_interval_is_rounded_up_so_that_rounding_admits_nothing(per_minute: int, interval_ns: int) -> None:
    assert Rate(per_minute=per_minute, burst=1).interval_ns == interval_ns


@pytest.mark.guarantee_c
@given(
    per_minute=st.integers(1, 10_000),
    burst=st.integers(1, 50),
    pauses_ns=st.lists(st.integers(0, 5 * NANOS), min_size=1, max_size=60),
)
def test_no_window_admits_more_than_burst_and_rate_allow(per_minute: int, burst: int, pauses_ns: list[int]) -> None:
    rate = Rate(per_minute=per_minute, burst=burst)
    now_ns, tat_ns = 0, 0
    admitted_at: list[int] = []
    for pause_ns in pauses_ns:
        now_ns += pause_ns
        tat_ns = max(tat_ns, now_ns)
        while tat_ns <= rate.latest_tat_ns(now_ns):
            tat_ns += rate.interval_ns
            admitted_at.append(now_ns)

    for first, start in enumerate(admitted_at):
        for last, end in enumerate(admitted_at[first:], start=first):
            assert (last - first + 1 - burst) * MINUTE_NS <= (end - start) * per_minute


@pytest.mark.guarantee_c
@given(
    per_minute=st.integers(1, 10_000),
    burst=st.integers(1, 50),
    units=st.integers(1, 80),
    over_ns=st.integers(1, 10 * NANOS),
)
def test_after_the_stated_wait_and_not_a_millisecond_before_the_units_are_admitted(
    per_minute: int, burst: int, units: int, over_ns: int
) -> None:
    rate = Rate(per_minute=per_minute, burst=burst)
    tat_ns = rate.latest_tat_ns(0, units=units) + over_ns

    wait_ns = round(rate.wait_seconds(tat_ns, 0, units=units) * NANOS)

    assert rate.wait_seconds(tat_ns, wait_ns, units=units) == 0
    assert rate.wait_seconds(tat_ns, wait_ns - 1_000_000, units=units) > 0


def test_more_than_a_burst_is_admitted_only_while_nothing_is_taken() -> None:
    rate = Rate(per_minute=60, burst=10)

    assert rate.wait_seconds(0, 0, units=25) == 0
    assert rate.wait_seconds(1, 0, units=25) > 0
