"""The ledger under a random course of calls, crashes, clocks and limits: every invariant after every single write."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from plinth.contracts.money import Reservation
from plinth.errors import BudgetExceededError, ReservationStateError, StoreUnavailableError
from plinth.money import ledger
from plinth.money.budget_rows import budget_key
from tests.unit.money.ledger_checks import (
    a_part_follows_its_whole,
    a_part_tells_what_it_spent,
    all_is_called_in,
    crash_matrix,
    interleavings,
    without_a_budget,
    yesterday_stays_with_yesterday,
)
from tests.unit.money.ledger_world import DAY, FAULTS, LAPSE, CrashError, World, asked, budget

pytestmark = pytest.mark.guarantee_b

NAMES = ("", "user ada", "user bob", "key k")


class Spending(RuleBasedStateMachine):
    """Callers who reserve, call, settle and vanish."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(ledger)
        self.limits: dict[str, tuple[int, int | None, int | None]] = dict.fromkeys(NAMES, (1, 500, 1500))
        self.open: list[Reservation] = []
        self.started: list[tuple[Reservation, int]] = []
        self.tried = 0

    @rule(
        amount=st.integers(0, 300) | st.integers(0, 6),
        names=st.sets(st.sampled_from(NAMES), max_size=4),
        busy=st.sets(st.sampled_from(NAMES), max_size=4),
        stale=st.booleans(),
    )
    def reserve(self, amount: int, names: set[str], busy: set[str], *, stale: bool) -> None:
        """Hold any amount; a budget is split where it has 128 times as much, so mostly for small ones."""
        keys = {budget_key(budget(name).scope) for name in busy}
        budgets = [self._budget(name, stale=stale) for name in sorted(names)]
        self.tried += 1
        what = asked(f"run_{self.tried}", amount=amount, at=self.world.now)
        made = self._tried(lambda: ledger.reserve(what, budgets, busy=keys, now=self.world.now))
        if made:
            self.open.append(made)

    def _budget(self, name: str, *, stale: bool) -> Any:
        revision, day, month = self.limits[name]
        return budget(name, day=day, month=month, revision=revision - stale)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), share=st.floats(0, 1))
    def start(self, data: st.DataObject, share: float) -> None:
        what = data.draw(st.sampled_from(self.open))
        if self._tried(lambda: ledger.start(what, token=f"t{self.world.writes}", now=self.world.now)):
            cost = int(share * what.amount_micro_usd)
            self.world.bill(what, cost)
            self.started.append((what, cost))

    @precondition(lambda self: self.started)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        what, cost = data.draw(st.sampled_from(self.started))
        self._tried(lambda: ledger.settle(what, cost_micro_usd=cost, now=self.world.now))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        what = data.draw(st.sampled_from(self.open))
        self._tried(lambda: ledger.release(what, now=self.world.now))

    @rule(within=st.integers(0, 4), fault=st.sampled_from(FAULTS))
    def fail_soon(self, within: int, fault: Any) -> None:
        self.world.fault = (self.world.writes + within, fault)

    @rule(seconds=st.sampled_from([1, 60, LAPSE, DAY / 2, DAY, 31 * DAY, -1, -LAPSE, -DAY]))
    def move_the_clock(self, seconds: float) -> None:
        self.world.now += seconds

    @rule(name=st.sampled_from(NAMES), day=st.integers(0, 900) | st.none(), month=st.integers(0, 3000) | st.none())
    def change_a_limit(self, name: str, day: int | None, month: int | None) -> None:
        revision, *before = self.limits[name]
        self.world.limits_fell |= any(_below(new, old) for new, old in zip((day, month), before, strict=True))
        self.limits[name] = (revision + 1, day, month)

    @rule()
    def sweep(self) -> None:
        self.world.sweep()

    def _tried(self, steps: Any) -> Any:
        """Run a step; repeat it once where no answer came; return nothing where it was refused or died."""
        try:
            try:
                return self.world.perform(steps())
            except StoreUnavailableError:
                return self.world.perform(steps())
        except (BudgetExceededError, ReservationStateError, CrashError):
            return None

    def teardown(self) -> None:
        self.world.now = max(self.world.now, *(each.run.deadline for each in self.open), 0.0)
        self.world.end()


def _below(new: int | None, old: int | None) -> bool:
    return new is not None and (old is None or new < old)


def _played(examples: int, steps: int) -> None:
    slow_is_fine = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    chosen = settings(max_examples=examples, stateful_step_count=steps, suppress_health_check=slow_is_fine)
    run_state_machine_as_test(Spending, settings=chosen)


def test_no_course_of_events_breaks_an_invariant() -> None:
    _played(60, 30)


@pytest.mark.long
def test_no_long_course_of_events_breaks_an_invariant() -> None:
    _played(2000, 60)


def test_no_crash_at_any_write_loses_doubles_or_overspends_anything() -> None:
    assert crash_matrix(ledger) >= 600


def test_no_order_of_processes_loses_doubles_or_overspends_anything() -> None:
    assert interleavings(ledger) >= 5000


def test_a_split_budget_is_spent_to_the_last() -> None:
    all_is_called_in(ledger)


def test_a_changed_limit_holds_in_the_parts_at_once() -> None:
    a_part_follows_its_whole(ledger)


def test_a_part_that_borrows_again_tells_what_it_spent() -> None:
    a_part_tells_what_it_spent(ledger)


def test_what_parts_spent_counts_in_the_day_that_is_over() -> None:
    yesterday_stays_with_yesterday(ledger)


def test_a_call_whose_budget_was_erased_changes_nothing() -> None:
    without_a_budget(ledger)
