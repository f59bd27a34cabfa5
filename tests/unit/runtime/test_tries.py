"""What the frame of the steps writes down of a try that failed, and what of one that did not."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from plinth.contracts.events import StepEnded, StepTried
from plinth.contracts.runs import ModelCost, Run, RunRequest
from plinth.contracts.tenant import Tenant
from plinth.errors import MemoryUnavailableError, StoreUnavailableError
from plinth.runtime import step
from plinth.wiring import Services
from tests.fakes.clock import FakeClock
from tests.fakes.costs import model_cost
from tests.fakes.runs import FakeRunLog, FakeRuns

STATE = {"Name": "DoIt", "EnteredTime": "2027-01-15T08:00:00.500Z", "RetryCount": 2}
ENTERED = 1_800_000_000.5


@dataclass(frozen=True, slots=True, kw_only=True)
class DoItInput:
    run: Run
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DoItOutput:
    found: int
    cache_key: str = "a hash"
    missing: str | None = None
    calls: tuple[ModelCost, ...] = ()


def do_it(request: DoItInput, services: Services) -> DoItOutput:
    del services
    return DoItOutput(found=request.number, calls=(model_cost(),))


def fail(request: DoItInput, services: Services) -> DoItOutput:
    raise MemoryUnavailableError("no")


class BrokenLog(FakeRunLog):
    """A log whose store is away."""

    def append(self, run: Run, events: Any) -> int:
        raise StoreUnavailableError("away")


class World:
    """A run that was accepted, and a call of a step that serves it."""

    def __init__(self) -> None:
        clock = FakeClock()
        runs = FakeRuns(clock)
        self.services = Services()
        self.services.side_log = self.log = FakeRunLog(runs)
        self.run = Run(id="run_1", tenant=Tenant(id="acme"), epoch=1, deadline=clock.now() + 270)
        runs.accept(self.run, RunRequest(question="?", model="m", user="ann"), None)

    def call(self, function: Any, *, seconds_left: float = 9.0) -> StepEnded:
        context = SimpleNamespace(
            aws_request_id="r", memory_limit_in_mb=256, get_remaining_time_in_millis=lambda: int(seconds_left * 1000)
        )
        event = {"run": msgspec.to_builtins(self.run), "number": 3, "state": STATE}
        return msgspec.convert(step(function, services=self.services)(event, context)["step"], StepEnded)

    @property
    def tries(self) -> list[StepTried]:
        logged = self.log.read(self.run.tenant, self.run.id, after=0)
        return [entry.event for entry in logged if isinstance(entry.event, StepTried)]


@pytest.fixture
def world() -> World:
    return World()


def test_a_try_that_fails_is_logged_with_its_error_and_its_number(world: World) -> None:
    with pytest.raises(MemoryUnavailableError):
        world.call(fail)

    (tried,) = world.tries
    assert (tried.step, tried.outcome, tried.retry, tried.entered_at) == ("Fail", "MemoryUnavailableError", 2, ENTERED)
    assert tried.details == {"number": 3}


def test_a_try_that_succeeds_tells_of_the_tries_before_it_and_writes_nothing_itself(world: World) -> None:
    ended = world.call(do_it)

    assert (ended.retry, ended.entered_at, world.tries) == (2, ENTERED, [])


def test_details_are_the_names_and_numbers_of_input_and_output_and_the_bill_of_a_call(world: World) -> None:
    details = world.call(do_it).details

    assert (details["number"], details["found"], details["model"]) == (3, 3, model_cost().model)
    assert details["cost_micro_usd"] == model_cost().cost_micro_usd
    assert {"cache_key", "missing", "calls", "run"}.isdisjoint(details)


def test_a_failed_try_keeps_its_error_where_the_log_is_away_too(world: World) -> None:
    world.services.side_log = BrokenLog(FakeRuns(FakeClock()))

    with pytest.raises(MemoryUnavailableError):
        world.call(fail)


def test_a_try_that_has_hardly_any_time_left_is_not_logged(world: World) -> None:
    with pytest.raises(MemoryUnavailableError):
        world.call(fail, seconds_left=3.0)

    assert world.tries == []
