"""Executions of one run in any order, against what must hold after every step; and that broken ones are found."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from plinth.contracts.executions import Continuation
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from plinth.wiring import Services
from tests.fakes.approvals import FakeApprovals
from tests.fakes.clock import FakeClock
from tests.fakes.runs import FakeExecutions, FakeRunLog, FakeRuns
from tests.unit.machine.execution_rules import ExecutionRules

pytestmark = pytest.mark.guarantee_a
SETTINGS = settings(max_examples=150, stateful_step_count=40, suppress_health_check=list(HealthCheck), database=None)


def rules(executions: type[FakeExecutions] = FakeExecutions) -> type[ExecutionRules]:
    """Return the rules over these fakes."""

    class InMemory(ExecutionRules):
        def __init__(self) -> None:
            super().__init__()
            services, clock = Services(), FakeClock()
            services.runs = runs = FakeRuns(clock)
            services.executions, services.run_log = executions(runs), FakeRunLog(runs)
            services.approvals = FakeApprovals(runs)
            self.begin(services, clock, Tenant(id="acme"))

    return InMemory


def test_executions_that_are_lost_doubled_late_or_replaced_leave_one_story_and_an_end() -> None:
    run_state_machine_as_test(rules(), settings=SETTINGS)


class Greedy(FakeExecutions):
    """Lets anybody claim."""

    def claim(self, run: Run, *, owner: str) -> bool:
        if row := self._own(run):
            row.owner = owner
        return super().claim(run, owner=owner)


class Forgetful(FakeExecutions):
    """Hands over to the epoch that it hands over from."""

    def hand_over(self, run: Run, continuation: Continuation) -> Run:
        super().hand_over(run, continuation)
        return run


class Unfenced(FakeExecutions):
    """Keeps what a replaced execution hands over."""

    def hand_over(self, run: Run, continuation: Continuation) -> Run:
        row = self._runs.rows[run.tenant, run.id]
        if row.open and row.record.epoch == run.epoch + 1:
            row.contents.pop("continuation", None)
        return super().hand_over(run, continuation)


@pytest.mark.parametrize("broken", [rules(Greedy), rules(Forgetful), rules(Unfenced)], ids=["claim", "epoch", "keep"])
def test_executions_that_break_a_promise_are_found(broken: type[ExecutionRules]) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(broken, settings=settings(SETTINGS, max_examples=600, derandomize=True))
