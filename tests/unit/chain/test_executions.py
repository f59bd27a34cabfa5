"""How long an execution works on a run: when it hands over, how long a call may take, until when its lease holds."""

from dataclasses import replace

import pytest

from plinth.chain.executions import (
    CALL_SECONDS,
    EXECUTION_SECONDS,
    call_seconds,
    hands_over,
    lease_until,
    on_execution,
    successor,
    waiting_seconds,
)
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant

START = 1000.0
SHORT = Run(id="run_1", tenant=Tenant(id="acme"), epoch=1, deadline=START + EXECUTION_SECONDS)
LONG = replace(SHORT, deadline=START + 1800)


def test_an_execution_ends_with_its_run_at_the_latest() -> None:
    assert on_execution(LONG, started_at=START).until == START + EXECUTION_SECONDS
    assert on_execution(LONG, started_at=START + 1700).until == LONG.deadline
    assert on_execution(SHORT, started_at=START + 5).until == SHORT.deadline


def test_a_run_without_an_execution_of_its_own_has_its_own_deadline() -> None:
    assert SHORT.until == SHORT.deadline
    assert successor(on_execution(LONG, started_at=START)) == replace(LONG, epoch=2)


@pytest.mark.parametrize(("after", "handed_over"), [(0, False), (20, False), (21, True), (200, True)])
def test_a_long_run_is_handed_over_before_a_call_that_might_not_end_in_time(after: float, *, handed_over: bool) -> None:
    assert hands_over(on_execution(LONG, started_at=START), now=START + after) is handed_over


def test_a_wait_counts_as_if_it_were_over() -> None:
    run = on_execution(LONG, started_at=START)

    assert [hands_over(run, now=START + 10, wait_seconds=wait) for wait in (10.0, 11.0)] == [False, True]


@pytest.mark.parametrize("after", [0, 100, 269])
def test_a_run_whose_time_its_execution_covers_is_never_handed_over(after: float) -> None:
    assert not hands_over(on_execution(SHORT, started_at=START), now=START + after)
    last = on_execution(LONG, started_at=LONG.deadline - 200)
    assert not hands_over(last, now=LONG.deadline - 200 + after)


def test_a_call_ends_in_time_for_the_steps_after_it() -> None:
    run = on_execution(LONG, started_at=START)

    assert call_seconds(run, now=START) == CALL_SECONDS
    assert call_seconds(run, now=START + 100) == 155.0
    assert call_seconds(run, now=START + 260) < 0


def test_no_wait_is_longer_than_an_execution() -> None:
    assert waiting_seconds(LONG, now=START) == 240.0
    assert waiting_seconds(LONG, now=LONG.deadline - 100) == 100.0


def test_a_lease_never_outlasts_the_machine() -> None:
    run = on_execution(LONG, started_at=START)

    assert lease_until(run, now=START) == START + 120
    assert lease_until(run, now=START, wait_seconds=50) == START + 170
    assert lease_until(run, now=START + 250) == START + EXECUTION_SECONDS + 20
