"""A run that asks a person before it writes: whoever dies when, it is done once, and only if the person said so."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from plinth.contracts.approvals import Decision, Ruling
from plinth.contracts.events import ApprovalDecided, ApprovalNeeded, RunEnded, RunResumed, StepEnded
from plinth.contracts.runs import RunRecord, RunStatus
from plinth.errors import RequestError
from plinth.runtime.approving import decide, withdraw
from plinth.tools.approvals import APPROVAL_SECONDS, MAX_PAUSES, open_approvals
from tests.unit.machine.world import FACT, SUM, KilledError, World, once
from tests.unit.steps.conftest import TENANT, ChainServices

pytestmark = pytest.mark.guarantee_h
API = StepEnded(step="Api", started_at=0.0, duration_ms=1.0)


def saying(decision: Decision, *, times: int = 1) -> Callable[[World], None]:
    """Return a person who says this, `times` over, of whatever a run waits with."""

    def person(world: World) -> None:
        for asked in open_approvals(world.stored().approvals):
            sha256 = asked.arguments_sha256
            ruling = Ruling(call=asked.call, arguments_sha256=sha256, decision=decision, user="ann", key_id="k1")
            for _ in range(times):
                with suppress(KilledError):
                    decide(world.stored(), TENANT, ruling, world.services, API)

    return person


@pytest.fixture
def world(services: ChainServices) -> World:
    """Make a model that adds, then remembers, then answers: what it read by then is not the caller's own."""
    world = World(services, turns=3, seconds=10.0)
    world.model.asks = (SUM, FACT)
    return world


def kept(world: World) -> list[str]:
    return [fact.text for fact in world.services.facts.all(TENANT, "ann")]


def require_one_story(world: World, ended: RunRecord) -> None:
    logged = world.log()
    assert ended.status is RunStatus.DONE
    assert [each.seq for each in logged] == list(range(1, len(logged) + 1))
    assert [each.epoch for each in logged] == sorted(each.epoch for each in logged)
    assert [each for each in logged if isinstance(each.event, RunEnded)] == logged[-1:]
    assert sum(isinstance(each.event, ApprovalDecided) for each in logged) == 1
    assert ended.receipt is not None
    assert world.spent() == (ended.receipt.model_cost_micro_usd, 0)


def test_what_a_person_approves_is_done_and_the_wait_costs_no_execution(world: World) -> None:
    world.person = saying(Decision.APPROVE, times=2)
    world.accept(seconds=270)

    ended = world.carry_out()

    require_one_story(world, ended)
    assert kept(world) == ["Ann drinks tea."]
    assert ended.epoch == 2
    assert [each.event.because for each in world.log() if isinstance(each.event, RunResumed)] == ["approval"]
    assert len(world.model.requests) == 3
    steps = [each.event.step for each in world.log() if isinstance(each.event, StepEnded)]
    assert steps.count("RunTool") == 2
    assert steps.count("CallModel") == 3
    assert steps.count("Api") == steps.count("SaveContinuation") == 1


def test_before_the_person_says_so_no_tool_of_the_turn_is_run(world: World) -> None:
    world.accept(seconds=270)
    while world.waiting:
        world.execute(world.waiting.popleft())

    stands = world.stored()
    assert stands.status is RunStatus.AWAITING_APPROVAL
    assert [each.arguments for each in stands.approvals] == ['{\n "fact": "Ann drinks tea."\n}']
    assert [moment for moment, _ in world.moments].count("before RunTool") == 1
    assert isinstance(world.log()[-1].event, ApprovalNeeded)


@pytest.mark.parametrize("decision", [Decision.DENY, None])
def test_what_nobody_approves_is_told_to_the_model_and_the_run_goes_on(world: World, decision: Decision | None) -> None:
    began = world.clock.now()
    if decision:
        world.person = saying(decision)
    world.accept(seconds=270)

    ended = world.carry_out()

    require_one_story(world, ended)
    assert kept(world) == []
    (result,) = world.model.requests[-1].prompt.messages[-1].tool_results
    assert result.failed
    assert ("A person has denied" if decision else "Nobody has approved") in result.text
    assert ended.ended_at is not None
    assert ended.ended_at - began < (270 if decision else 270 + APPROVAL_SECONDS)


def test_a_run_that_is_cancelled_while_it_waits_ends_at_once_and_does_nothing(world: World) -> None:
    def cancel(world: World) -> None:
        if world.stored().status is RunStatus.AWAITING_APPROVAL:
            record = world.services.runs.cancel(TENANT, "run_1")
            withdraw(record, TENANT, world.services, user="ann", key_id="k1")

    world.person = cancel
    world.accept(seconds=270)
    began = world.clock.now()

    ended = world.carry_out()

    assert ended.status is RunStatus.CANCELLED
    assert ended.ended_at is not None
    assert ended.ended_at - began < 60
    assert kept(world) == []
    (decided,) = (each.event for each in world.log() if isinstance(each.event, ApprovalDecided))
    assert (decided.decision, decided.user) == (Decision.CANCEL, "ann")
    assert [moment for moment, _ in world.moments].count("before RunTool") == 1
    assert len(world.model.requests) == 2


def test_a_model_that_asks_for_ever_asks_a_person_ten_times(services: ChainServices) -> None:
    world = World(services, turns=15, seconds=1.0)
    world.model.asks = (SUM, *[FACT] * 14)
    world.person = saying(Decision.DENY)
    world.accept(seconds=1800)

    ended = world.carry_out()

    assert ended.status is RunStatus.DONE
    assert sum(isinstance(each.event, ApprovalNeeded) for each in world.log()) == MAX_PAUSES
    assert len(ended.approvals) == MAX_PAUSES
    assert kept(world) == []


@pytest.mark.parametrize("number", range(60))
@pytest.mark.parametrize("decision", [Decision.APPROVE, Decision.DENY, None])
def test_it_ends_rightly_wherever_it_is_killed(world: World, number: int, decision: Decision | None) -> None:
    left = [True]
    world.kill = lambda _moment, _epoch: len(world.moments) == number + 1 and bool(left) and left.pop()
    if decision:
        world.person = saying(decision)
    world.accept(seconds=1800)

    ended = world.carry_out()

    require_one_story(world, ended)
    assert kept(world) == (["Ann drinks tea."] if decision is Decision.APPROVE else [])


@pytest.mark.parametrize("place", ["before start", "after start"])
def test_a_start_that_dies_with_the_decision_is_made_by_the_sweep(world: World, place: str) -> None:
    world.kill, world.person = once(place, epoch=1), saying(Decision.APPROVE)
    world.accept(seconds=600)

    require_one_story(world, world.carry_out())
    assert bool(world.services.machines.again) == (place == "before start")
    assert kept(world) == ["Ann drinks tea."]


def test_after_the_five_minutes_nobody_can_approve_even_if_the_sweep_is_late(world: World) -> None:
    world.accept(seconds=270)
    while world.waiting:
        world.execute(world.waiting.popleft())
    world.clock.advance(APPROVAL_SECONDS + 1)

    with pytest.raises(RequestError, match="is over"):
        saying(Decision.APPROVE)(world)

    ended = world.carry_out()
    require_one_story(world, ended)
    assert kept(world) == []


def test_a_tool_that_is_gone_by_the_time_of_the_question_keeps_nobody_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plinth.runtime.approving.asked_of_person", lambda *_, **__: ())
    world.accept(seconds=600)

    ended = world.carry_out()

    assert ended.status is RunStatus.DONE
    assert ended.epoch == 2
    assert kept(world) == []
