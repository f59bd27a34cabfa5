"""A run of ten turns and twelve minutes on a clock of its own: it completes, whoever dies when it is handed over."""

from typing import Any

import pytest

from client.answers import collect
from plinth.chain.executions import EXECUTION_SECONDS
from plinth.contracts.events import RunEnded, RunResumed, StepEnded, TextDelta
from plinth.contracts.platform import PlatformKind
from plinth.contracts.runs import RunRecord, RunStatus
from tests.unit.machine.world import LAST_WORDS, Kill, World, once
from tests.unit.steps.conftest import ChainServices

pytestmark = pytest.mark.guarantee_a
TURNS = 10


@pytest.fixture
def world(services: ChainServices) -> World:
    return World(services, turns=TURNS)


def require_whole(world: World, ended: RunRecord) -> None:
    """Hold what must be true of a run that was answered, however many executions that took."""
    logged = world.log()
    so_far = collect(logged)
    assert ended.status is RunStatus.DONE
    assert ended.answer is not None
    assert so_far.text == ended.answer.text == "".join(LAST_WORDS)
    assert [each.seq for each in logged] == list(range(1, len(logged) + 1))
    epochs = [each.epoch for each in logged]
    assert epochs == sorted(epochs)
    assert [each for each in logged if isinstance(each.event, RunEnded)] == logged[-1:]
    spoken = [(each.event.attempt, each.event.offset) for each in logged if isinstance(each.event, TextDelta)]
    assert len(set(spoken)) == len(spoken)
    assert ended.receipt is not None
    assert world.spent() == (ended.receipt.model_cost_micro_usd, 0)


def test_it_takes_several_executions_and_none_longer_than_it_may(world: World) -> None:
    began = world.clock.now()
    world.accept()

    ended = world.carry_out()

    require_whole(world, ended)
    assert ended.ended_at is not None
    assert ended.ended_at - began == pytest.approx(TURNS * 72.0, abs=5.0)
    resumed = [each.event.because for each in world.log() if isinstance(each.event, RunResumed)]
    assert resumed == ["time"] * (ended.epoch - 1)
    assert TURNS * 72.0 / EXECUTION_SECONDS < ended.epoch <= TURNS
    assert len(world.model.requests) == TURNS
    assert ended.receipt is not None
    assert [call.outcome for call in ended.receipt.model_calls] == ["complete"] * TURNS


def test_its_receipt_and_its_log_have_every_step_of_every_execution(world: World) -> None:
    world.accept()

    ended = world.carry_out()

    steps = [each.event.step for each in world.log() if isinstance(each.event, StepEnded)]
    assert steps.count("ClaimRun") == ended.epoch
    assert steps.count("SaveContinuation") == ended.epoch - 1
    assert steps.count("CallModel") == steps.count("BuildPrompt") == TURNS
    assert steps.count("RunTool") == TURNS - 1
    assert ended.receipt is not None
    assert ended.receipt.platform is not None
    (runs,) = (each.quantity for each in ended.receipt.platform.lines if each.kind is PlatformKind.WORKFLOW_RUNS)
    assert runs == ended.epoch


def test_a_run_that_fits_one_execution_is_never_handed_over(services: ChainServices) -> None:
    world = World(services, turns=3, seconds=50.0)
    world.accept(seconds=EXECUTION_SECONDS)

    ended = world.carry_out()

    require_whole(world, ended)
    assert ended.epoch == 1


def test_a_run_that_needs_longer_than_it_may_take_ends_by_its_deadline(services: ChainServices) -> None:
    world = World(services, turns=30)
    run = world.accept(seconds=600)

    ended = world.carry_out()

    assert ended.status is RunStatus.FAILED
    assert ended.ended_at is not None
    assert ended.ended_at <= run.deadline
    assert ended.receipt is not None
    assert world.spent() == (ended.receipt.model_cost_micro_usd, 0)


def test_the_steps_that_a_call_of_a_model_is_handed_do_not_grow_with_the_turns(services: ChainServices) -> None:
    world = World(services, turns=30, seconds=2.0)
    handed: list[int] = []
    call_model = world.machine.handler("${CallModelArn}")

    def counted(event: dict[str, Any], context: Any) -> dict[str, Any]:
        handed.append(len(event["steps"]))
        return call_model(event, context)

    world.machine.handlers["${CallModelArn}"] = counted
    world.accept()

    ended = world.carry_out()

    require_whole(world, ended)
    assert len(handed) == 30
    assert max(handed) < 10
    steps = [each.event.step for each in world.log() if isinstance(each.event, StepEnded)]
    assert (steps.count("CallModel"), steps.count("BuildPrompt"), steps.count("RunTool")) == (30, 30, 29)


PLACES = (
    "before SaveContinuation",
    "before start",
    "after start",
    "after SaveContinuation",
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("epoch", range(1, TURNS))
def test_it_completes_when_it_is_killed_at_a_hand_over(world: World, place: str, epoch: int) -> None:
    world.kill = once(place, epoch=epoch)
    world.accept()

    require_whole(world, world.carry_out())


def at_every(place: str) -> Kill:
    """Kill the first execution of every epoch that comes there."""
    met: set[int] = set()

    def kill(moment: str, epoch: int) -> bool:
        if moment != place or epoch in met:
            return False
        met.add(epoch)
        return True

    return kill


@pytest.mark.parametrize("place", PLACES[1:])
def test_it_completes_when_it_is_killed_at_each_hand_over(world: World, place: str) -> None:
    world.kill = at_every(place)
    world.accept()

    require_whole(world, world.carry_out())


@pytest.mark.parametrize("place", ["before ClaimRun", "after ClaimRun", "before CallModel", "after CallModel"])
@pytest.mark.parametrize("epoch", range(1, TURNS, 4))
def test_it_completes_when_the_next_execution_is_killed_at_its_start(world: World, place: str, epoch: int) -> None:
    world.copies = 1
    world.kill = once(place, epoch=epoch)
    world.accept()

    require_whole(world, world.carry_out())


@pytest.mark.parametrize("number", range(30))
def test_a_run_of_two_turns_is_answered_wherever_it_is_killed(services: ChainServices, number: int) -> None:
    world = World(services, turns=2, seconds=20.0)
    world.kill = lambda _moment, _epoch: len(world.moments) == number + 1
    world.accept(seconds=600)

    require_whole(world, world.carry_out())
