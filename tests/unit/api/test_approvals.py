"""Approvals over the API: by the user who asked, of the arguments that were seen, in time, and once."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from plinth.contracts.approvals import Approval, Decision
from plinth.contracts.events import ApprovalDecided, ApprovalNeeded, StepEnded
from plinth.contracts.executions import Continuation, ResumeAt
from plinth.contracts.runs import Run, RunRequest, RunStatus
from plinth.errors import StoreUnavailableError
from plinth.tools.approvals import APPROVAL_SECONDS
from tests.fakes.objects import FakeMachines
from tests.unit.access.world import ALICE, BOB, World
from tests.unit.api.client import Answer, Client

pytestmark = pytest.mark.guarantee_h
NEXT = Continuation(resume_at=ResumeAt.RUN_TOOLS, turn=1, tool_calls=2, because="approval")
SEEN = "1" * 64


def approval(world: World, number: int) -> Approval:
    return Approval(
        call=f"1-{number}",
        tool="remember",
        arguments='{\n "fact": "tea"\n}',
        arguments_sha256=str(number) * 64,
        expires_at=int(world.clock.now()) + APPROVAL_SECONDS,
    )


def needed(asked: Approval) -> ApprovalNeeded:
    return ApprovalNeeded(
        call=asked.call,
        tool=asked.tool,
        arguments=asked.arguments,
        arguments_sha256=asked.arguments_sha256,
        expires_at=asked.expires_at,
    )


@pytest.fixture
def waiting(world: World) -> Callable[..., Run]:
    """Make a run that waits for a person, with so many calls."""

    def make(calls: int = 1) -> Run:
        run = world.accepted_run()
        assert world.executions.claim(run, owner="first")
        asked = [approval(world, number) for number in range(1, calls + 1)]
        return world.services.approvals.ask(run, asked, NEXT, [needed(each) for each in asked])

    return make


def decide(client: Client, run: Run, *, call: str = "1-1", sha256: str = SEEN, decision: str = "approve") -> Answer:
    body = {"decision": decision, "arguments_sha256": sha256}
    return client.call("POST", f"/v1/runs/{run.id}/approvals/{call}", body)


def decisions(world: World, run: Run) -> list[ApprovalDecided]:
    logged = world.log.read(run.tenant, run.id, after=0)
    return [each.event for each in logged if isinstance(each.event, ApprovalDecided)]


def test_a_run_that_waits_shows_what_it_waits_for(client: Client, waiting: Callable[..., Run]) -> None:
    run = waiting()

    shown = client.call("GET", f"/v1/runs/{run.id}").json

    assert shown["status"] == "awaiting_approval"
    (asked,) = shown["approvals"]
    assert (asked["call"], asked["tool"], asked["arguments"]) == ("1-1", "remember", '{\n "fact": "tea"\n}')
    assert (asked["arguments_sha256"], asked["decision"]) == (SEEN, None)


def test_an_approval_is_logged_with_who_gave_it_and_lets_the_run_go_on(
    world: World, client: Client, waiting: Callable[..., Run]
) -> None:
    run = waiting()

    answer = decide(client, run)

    assert answer.status == 200
    assert client.key is not None
    assert (answer.json["decision"], answer.json["user"], answer.json["key_id"]) == (
        "approve",
        "someone",
        client.key.id,
    )
    assert client.key.text not in answer.text
    record = world.runs.get(ALICE, run.id)
    assert record.status is RunStatus.RUNNING
    assert list(world.machines.answers.values()) == [replace(run, deadline=record.deadline)]
    (told,) = decisions(world, run)
    assert (told.call, told.decision, told.user, told.key_id) == ("1-1", Decision.APPROVE, "someone", client.key.id)
    (step,) = (each.event for each in world.log.read(ALICE, run.id, after=0) if isinstance(each.event, StepEnded))
    assert step.step == "Api"


def test_it_goes_on_once_every_call_is_decided(world: World, client: Client, waiting: Callable[..., Run]) -> None:
    run = waiting(2)

    assert decide(client, run, call="1-2", sha256="2" * 64, decision="deny").status == 200
    assert world.machines.answers == {}
    assert decide(client, run).status == 200

    assert len(world.machines.answers) == 1
    assert [each.decision for each in decisions(world, run)] == [Decision.DENY, Decision.APPROVE]


def test_the_same_decision_may_come_again_and_the_opposite_may_not(
    world: World, client: Client, waiting: Callable[..., Run]
) -> None:
    run = waiting()
    first = decide(client, run)

    assert decide(client, run).json == first.json
    refused = decide(client, run, decision="deny")

    assert (refused.status, refused.code) == (409, "approval_conflict")
    assert "can't be changed" in refused.json["detail"]
    assert len(decisions(world, run)) == len(world.machines.answers) == 1


def test_other_arguments_than_those_that_were_seen_are_refused(
    world: World, client: Client, waiting: Callable[..., Run]
) -> None:
    run = waiting()

    refused = decide(client, run, sha256="2" * 64)

    assert (refused.status, refused.code) == (409, "approval_conflict")
    assert "arguments_sha256" in refused.json["detail"]
    assert world.runs.get(ALICE, run.id).status is RunStatus.AWAITING_APPROVAL


def test_after_five_minutes_it_is_too_late(world: World, client: Client, waiting: Callable[..., Run]) -> None:
    run = waiting()
    world.clock.advance(APPROVAL_SECONDS)

    refused = decide(client, run)

    assert (refused.status, refused.code) == (410, "approval_expired")
    assert "ask the question again" in refused.json["detail"]
    assert decisions(world, run) == []


def test_a_call_that_was_never_asked_about_is_absent(client: Client, world: World, waiting: Callable[..., Run]) -> None:
    assert decide(client, waiting(), call="1-2").status == 404
    assert decide(client, world.accepted_run()).status == 404


@pytest.mark.guarantee_e
def test_to_another_tenant_and_to_another_user_the_run_is_as_absent_as_one_that_never_was(
    world: World, client: Client, waiting: Callable[..., Run]
) -> None:
    run = waiting()
    theirs = RunRequest(question="Why?", model="plinth-local", user="another")
    foreign = replace(run, id="run_" + "a" * 26)
    world.runs.accept(replace(foreign, epoch=1), theirs, None)

    answers = [
        decide(Client(world, world.issue(BOB)), run),
        decide(client, foreign),
        decide(client, replace(run, id="run_" + "b" * 26)),
    ]

    assert [each.status for each in answers] == [404] * 3
    assert len({each.json["detail"].replace(each.json["detail"].split()[-1], "") for each in answers}) == 1
    assert world.runs.get(ALICE, run.id).status is RunStatus.AWAITING_APPROVAL


def test_a_key_that_may_only_read_decides_nothing(world: World, waiting: Callable[..., Run]) -> None:
    assert decide(Client(world, world.issue(scopes=("runs:read",))), waiting()).status == 403


@pytest.mark.parametrize(
    "body",
    [
        {"decision": "approve"},
        {"decision": "expire", "arguments_sha256": SEEN},
        {"decision": "approve", "arguments_sha256": "x"},
        {"decision": "approve", "arguments_sha256": SEEN, "call": "1-1"},
        [],
    ],
)
def test_anything_but_a_decision_about_a_digest_is_refused(
    client: Client, waiting: Callable[..., Run], body: object
) -> None:
    run = waiting()

    refused = client.call("POST", f"/v1/runs/{run.id}/approvals/1-1", body)

    assert refused.status == 400
    assert refused.code == "invalid_request"


class UnreachableMachines(FakeMachines):
    """Step Functions that answer nothing."""

    def start_answer(self, run: Run, *, again: int = 0, machine: str | None = None) -> None:
        raise StoreUnavailableError("throttled")


def test_a_decision_whose_start_fails_counts_and_the_run_is_overdue_soon(
    world: World, client: Client, waiting: Callable[..., Run]
) -> None:
    world.services.machines = UnreachableMachines()
    run = waiting()

    assert decide(client, run).status == 200
    world.clock.advance(31)

    (found,) = world.executions.overdue(limit=10)
    assert (found.run.id, found.status) == (run.id, RunStatus.RUNNING)


def test_a_run_that_is_cancelled_while_it_waits_goes_on_to_its_end_without_the_call(
    world: World, client: Client, waiting: Callable[..., Run]
) -> None:
    run = waiting()

    answer = client.call("POST", f"/v1/runs/{run.id}/cancel")

    assert answer.status == 202
    assert [each.decision for each in decisions(world, run)] == [Decision.CANCEL]
    assert len(world.machines.answers) == 1
    assert world.runs.get(ALICE, run.id).unwanted
    assert decide(client, run).status == 409
