"""How strict mode throws its dice, and how late it lets expired items go."""

import threading
import time

import pytest

from local.cloud.strict.busy_tables import REAPER, TTL_LATE_SECONDS, LateClock
from local.cloud.strict.chances import Chances, Crash, Fate


def throws(seed: int, count: int = 50) -> list[bool]:
    fate = Fate()
    fate.set(Chances(seed=seed))
    return [fate.strikes(0.5) for _ in range(count)]


def test_a_seed_gives_the_same_chances_again_and_another_seed_gives_others() -> None:
    assert throws(1) == throws(1) != throws(2)


@pytest.mark.parametrize(("chance", "strikes"), [(0.0, {False}), (1.0, {True}), (0.5, {True, False})])
def test_a_chance_of_none_never_strikes_and_a_whole_one_always(chance: float, strikes: set[bool]) -> None:
    fate = Fate()

    assert {fate.strikes(chance) for _ in range(200)} == strikes


def test_a_crash_is_met_by_the_named_function_as_often_as_was_asked() -> None:
    fate = Fate()
    crash = Crash(function="-CallModel", times=2)
    fate.set(Chances(crash=crash))

    assert fate.crash_of("plinth-BuildPrompt-1") is None
    assert [fate.crash_of("plinth-CallModel-1") for _ in range(3)] == [crash, crash, None]


def test_only_the_thread_that_removes_expired_items_lives_in_the_past() -> None:
    clock, told = LateClock(), list[float]()
    reaper = threading.Thread(target=lambda: told.append(clock.time()), name=REAPER)
    reaper.start()
    reaper.join()

    assert clock.time() == pytest.approx(time.time(), abs=5)
    assert told[0] == pytest.approx(time.time() - TTL_LATE_SECONDS, abs=5)
    assert clock.monotonic is time.monotonic
