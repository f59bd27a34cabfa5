"""A function that dies in a model's call: another epoch asks again, its readers have one text, and both are paid."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from plinth.chain.routing import MAX_ATTEMPTS
from plinth.contracts.events import Reset, RunResumed
from plinth.contracts.models import ModelRequest, StreamItem
from plinth.contracts.runs import RunRecord, RunStatus
from tests.fakes.answer_machine import LAMBDA
from tests.unit.machine.test_long_runs import require_whole
from tests.unit.machine.world import CountingModel, KilledError, World
from tests.unit.steps.conftest import ChainServices

pytestmark = [pytest.mark.guarantee_a, pytest.mark.guarantee_b]
CALL_MODEL = "${CallModelArn}"
PLACES = ("before all", "before a word", "after a word", "before the end", "after all")
LostError = type("Runtime.ExitError", (Exception,), {})
"""What Step Functions names a function that was killed."""


@dataclass
class MortalModel(CountingModel):
    """Kills the function that reads it before its item of this number."""

    dies_at: int | None = None

    def stream(self, request: ModelRequest) -> Iterator[StreamItem]:
        for number, item in enumerate(super().stream(request)):
            if number == self.dies_at:
                raise KilledError
            yield item


def mortal(services: ChainServices, place: str, *deaths: int, turns: int = 2) -> World:
    """Return a world whose CallModel dies at a place, in those of its invocations that have these numbers."""
    world = World(services, turns=turns, seconds=10.0, copies=1)
    model = MortalModel(world.clock, turns, 10.0)
    services.model = world.model = model
    call_model, numbers = world.machine.handler(CALL_MODEL), count(1)

    def call(event: Any, _context: object) -> Any:
        dies = next(numbers) in deaths
        model.dies_at = PLACES.index(place) - 1 if dies else None
        try:
            if dies and place == PLACES[0]:
                raise KilledError
            answer = call_model(event, LAMBDA)
            if dies and place == PLACES[-1]:
                raise KilledError
        except KilledError:
            raise LostError from None
        return answer

    world.machine.handlers[CALL_MODEL] = call
    return world


def outcomes(ended: RunRecord) -> list[tuple[str, bool]]:
    """Return how each call on the receipt ended, and whether its cost is the bound."""
    assert ended.receipt is not None
    return [(call.outcome, call.estimated) for call in ended.receipt.model_calls]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("death", [1, 2])
def test_a_run_is_answered_whose_call_of_a_model_dies(services: ChainServices, place: str, death: int) -> None:
    world = mortal(services, place, death)
    world.accept()

    ended = world.carry_out()

    require_whole(world, ended)
    assert ended.epoch == 2
    assert [each.event.because for each in world.log() if isinstance(each.event, RunResumed)] == ["lost"]
    lost = {"before all": [], "after all": [("complete", False)]}.get(place, [("lost", True)])
    told = [("complete", False)] * 2
    assert outcomes(ended) == [*told[: death - 1], *lost, *told[death - 1 :]]


def test_readers_of_a_lost_call_are_told_to_drop_what_it_said(services: ChainServices) -> None:
    world = mortal(services, "before the end", 1, turns=1)
    world.accept()

    world.carry_out()

    assert [each.event for each in world.log() if isinstance(each.event, Reset)] == [
        Reset(attempt=2, reason="function_lost")
    ]


@pytest.mark.parametrize("place", PLACES)
def test_a_call_that_kills_each_function_is_made_as_often_as_any_and_then_ends_the_run(
    services: ChainServices, place: str
) -> None:
    world = mortal(services, place, *range(1, 10), turns=1)
    world.accept()

    ended = world.carry_out()

    assert ended.status is RunStatus.FAILED
    assert ended.failure is not None
    assert ended.failure.reason == "function_lost"
    assert len(world.model.requests) == (0 if place == PLACES[0] else MAX_ATTEMPTS)
    assert ended.receipt is not None
    assert world.spent() == (ended.receipt.model_cost_micro_usd, 0)


def test_a_run_that_was_cancelled_is_not_asked_again_after_its_call_died(services: ChainServices) -> None:
    world = mortal(services, "after a word", 1, turns=1)
    run = world.accept()
    world.kill = lambda moment, _epoch: (
        moment == "before SaveContinuation" and bool(services.runs.cancel(run.tenant, run.id) and False)
    )

    ended = world.carry_out()

    assert ended.status is RunStatus.CANCELLED
    assert len(world.model.requests) == 1
    assert outcomes(ended) == [("lost", True)]


@pytest.mark.parametrize("place", ["before SaveContinuation", "before start", "after start", "after ClaimRun"])
def test_a_run_whose_call_died_is_answered_though_its_hand_over_dies_too(services: ChainServices, place: str) -> None:
    world = mortal(services, "after a word", 1)
    deaths = iter([True])
    world.kill = lambda moment, _epoch: moment == place and world.model.requests != [] and next(deaths, False)
    world.accept()

    require_whole(world, world.carry_out())
