"""The arithmetic of the rate limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.access.gcra import Rate

MINUTE_US = 60_000_000


@pytest.mark.parametrize(("per_minute", "interval_us"), [(60, 1_000_000), (7, 8_571_429), (60_000_001, 1)])
def test_the_interval_is_rounded_up_so_that_rounding_admits_nothing(per_minute: int, interval_us: int) -> None:
    assert Rate(requests_per_minute=per_minute, burst=1).interval_us == interval_us


@pytest.mark.guarantee_c
@given(
    per_minute=st.integers(1, 10_000),
    burst=st.integers(1, 50),
    pauses_us=st.lists(st.integers(0, 5_000_000), min_size=1, max_size=60),
)
def test_no_window_admits_more_than_burst_and_rate_allow(per_minute: int, burst: int, pauses_us: list[int]) -> None:
    rate = Rate(requests_per_minute=per_minute, burst=burst)
    now_us, tat_us = 0, 0
    admitted_at: list[int] = []
    for pause_us in pauses_us:
        now_us += pause_us
        tat_us = max(tat_us, now_us)
        while tat_us <= rate.latest_tat_us(now_us):
            tat_us += rate.interval_us
            admitted_at.append(now_us)

    for first, start in enumerate(admitted_at):
        for last, end in enumerate(admitted_at[first:], start=first):
            assert last - first + 1 <= burst + (end - start) * per_minute / MINUTE_US


@given(per_minute=st.integers(1, 10_000), burst=st.integers(1, 50), over_us=st.integers(1, 10_000_000))
def test_after_the_stated_wait_and_not_before_a_request_is_admitted(per_minute: int, burst: int, over_us: int) -> None:
    rate = Rate(requests_per_minute=per_minute, burst=burst)
    tat_us = rate.latest_tat_us(0) + over_us

    wait_us = round(rate.denied(tat_us, 0).retry_after_seconds * 1_000_000)

    assert tat_us <= rate.latest_tat_us(wait_us)
    assert tat_us > rate.latest_tat_us(wait_us - 1)
