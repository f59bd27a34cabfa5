"""The contract of `Approvals`, held by the fake and by DynamoDB: a run waits for a person, and goes on once."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

import pytest

from plinth.adapters.dynamo_approvals import DynamoApprovals
from plinth.adapters.dynamo_executions import DynamoExecutions
from plinth.adapters.dynamo_run_log import DynamoRunLog
from plinth.adapters.dynamo_runs import DynamoRuns
from plinth.adapters.dynamodb_table import Table
from plinth.contracts.access import ContentPolicy
from plinth.contracts.approvals import Approval, Decision
from plinth.contracts.events import ApprovalDecided, ApprovalNeeded, Event, RunEnded, RunResumed, TextDelta
from plinth.contracts.executions import Continuation, ResumeAt
from plinth.contracts.runs import Overdue, Run, RunRequest, RunStatus, contents_until
from plinth.errors import ModelCancelledError, RunSupersededError
from plinth.tools.approvals import undecided_as
from tests.contract.adapters.conftest import at_once
from tests.contract.adapters.journal import Journal
from tests.contract.adapters.test_faults import WRITES, FaultyClient, twice
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.guarantee_h
REQUEST = RunRequest(question="Why?", model="small", user="ada", contents=ContentPolicy.NOTHING)
NEXT = Continuation(resume_at=ResumeAt.RUN_TOOLS, turn=2, tool_calls=2, because="approval")
WAIT = 300
Asked = tuple[Approval, ...]


def question(clock: FakeClock, number: int = 1, turn: int = 2) -> Approval:
    return Approval(
        call=f"{turn}-{number}",
        tool="remember",
        arguments='{"fact": "tea"}',
        arguments_sha256=f"{number}" * 64,
        expires_at=int(clock.now()) + WAIT,
    )


def needed(asked: Approval) -> Event:
    return ApprovalNeeded(
        call=asked.call,
        tool=asked.tool,
        arguments=asked.arguments,
        arguments_sha256=asked.arguments_sha256,
        expires_at=asked.expires_at,
    )


def told(asked: Approval, decision: Decision) -> Event:
    return ApprovalDecided(
        call=asked.call, tool=asked.tool, arguments_sha256=asked.arguments_sha256, decision=decision, user="ada"
    )


def with_decision(asked: Asked, decision: Decision, clock: FakeClock, *numbers: int) -> Asked:
    """Return the approvals with this decision for the calls of these places."""
    made = undecided_as(asked, decision, now=clock.now(), user="ada", key_id="k1")
    return tuple(made[place] if place in numbers else each for place, each in enumerate(asked))


@pytest.fixture
def claimed(journal: Journal, run: Run) -> Run:
    own = replace(run, contents_until=contents_until(ContentPolicy.NOTHING, run.deadline))
    journal.runs.accept(own, REQUEST, None)
    assert journal.executions.claim(own, owner="first")
    return own


@pytest.fixture
def asked(clock: FakeClock) -> Asked:
    return question(clock, 1), question(clock, 2)


@pytest.fixture
def paused(journal: Journal, claimed: Run, asked: Asked) -> Run:
    return journal.approvals.ask(claimed, asked, NEXT, [needed(each) for each in asked])


def events(journal: Journal, run: Run) -> list[Event]:
    return [each.event for each in journal.log.read(run.tenant, run.id, after=1)]


def late(journal: Journal, run: Run) -> list[Overdue]:
    return [each for each in journal.executions.overdue(limit=10_000) if each.run.tenant == run.tenant]


def test_a_run_that_asks_a_person_waits_with_what_it_goes_on_with_and_with_its_questions_in_the_log(
    journal: Journal, claimed: Run, paused: Run, asked: Asked
) -> None:
    record = journal.runs.get(claimed.tenant, claimed.id)

    assert (record.status, record.epoch, record.approvals) == (RunStatus.AWAITING_APPROVAL, 2, asked)
    assert (paused.epoch, paused.deadline) == (2, record.deadline)
    assert events(journal, claimed) == [needed(each) for each in asked]
    assert journal.executions.continuation(paused) == NEXT


def test_nobody_claims_a_run_that_waits(journal: Journal, claimed: Run, paused: Run) -> None:
    assert not journal.executions.claim(claimed, owner="first")
    assert not journal.executions.claim(paused, owner="second")
    assert journal.executions.take_over(paused, NEXT) is None
    assert journal.executions.hand_over(claimed, replace(NEXT, turn=3)).epoch == paused.epoch
    assert journal.executions.continuation(paused) == NEXT


def test_the_wait_is_no_part_of_the_runs_time(journal: Journal, claimed: Run, paused: Run, clock: FakeClock) -> None:
    clock.advance(WAIT - 1)
    assert late(journal, claimed) == []
    clock.advance(2)

    (found,) = late(journal, claimed)

    assert found.status is RunStatus.AWAITING_APPROVAL
    assert claimed.deadline + WAIT <= found.run.deadline <= claimed.deadline + WAIT + 1
    assert found.run == replace(paused, keep_until=found.run.keep_until)


def test_a_question_that_is_asked_again_is_asked_once(
    journal: Journal, claimed: Run, paused: Run, asked: Asked
) -> None:
    again = journal.approvals.ask(claimed, asked, replace(NEXT, turn=9), [needed(each) for each in asked])

    assert again == paused
    assert len(events(journal, claimed)) == 2
    assert journal.executions.continuation(paused) == NEXT


def test_a_run_that_nobody_wants_asks_nobody(journal: Journal, claimed: Run, asked: Asked) -> None:
    journal.runs.cancel(claimed.tenant, claimed.id)

    with pytest.raises(ModelCancelledError):
        journal.approvals.ask(claimed, asked, NEXT, [needed(each) for each in asked])

    assert events(journal, claimed) == []
    assert journal.runs.get(claimed.tenant, claimed.id).status is RunStatus.RUNNING


def test_an_execution_that_was_replaced_asks_nothing_and_writes_nothing_after_a_question(
    journal: Journal, claimed: Run, asked: Asked
) -> None:
    second = journal.executions.hand_over(claimed, NEXT)
    journal.executions.claim(second, owner="second")
    third = journal.approvals.ask(second, asked, NEXT, [needed(asked[0])])

    with pytest.raises(RunSupersededError):
        journal.approvals.ask(claimed, asked, NEXT, [needed(asked[0])])
    for zombie in (claimed, second):
        with pytest.raises(RunSupersededError):
            journal.elsewhere.append(zombie, [TextDelta(text="still", attempt=1, offset=0)])
    assert journal.runs.get(claimed.tenant, claimed.id).epoch == third.epoch


def test_a_run_goes_on_with_the_last_decision_and_gets_the_rest_of_the_wait_off_its_time(
    journal: Journal, paused: Run, asked: Asked, clock: FakeClock
) -> None:
    clock.advance(100)
    first = with_decision(asked, Decision.APPROVE, clock, 1)
    both = with_decision(first, Decision.DENY, clock, 0)

    assert journal.approvals.decide(paused, asked, first, [told(asked[1], Decision.APPROVE)]) == paused
    assert journal.runs.get(paused.tenant, paused.id).status is RunStatus.AWAITING_APPROVAL
    going_on = journal.approvals.decide(paused, first, both, [told(asked[0], Decision.DENY)])

    record = journal.runs.get(paused.tenant, paused.id)
    assert going_on is not None
    assert (record.status, record.approvals, record.deadline) == (RunStatus.RUNNING, both, going_on.deadline)
    assert paused.deadline - WAIT + 100 <= going_on.deadline <= paused.deadline - WAIT + 101
    assert journal.executions.claim(going_on, owner="second")
    assert not journal.executions.claim(going_on, owner="third")
    journal.log.append(going_on, [RunResumed(because="approval")])


def test_a_start_that_is_lost_after_the_decision_is_found_by_the_sweep(
    journal: Journal, paused: Run, asked: Asked, clock: FakeClock
) -> None:
    made = with_decision(asked, Decision.APPROVE, clock, 0, 1)
    going_on = journal.approvals.decide(paused, asked, made, [told(each, Decision.APPROVE) for each in asked])
    clock.advance(30)

    (found,) = late(journal, paused)

    assert going_on is not None
    assert (found.run.epoch, found.status, found.leased_until) == (going_on.epoch, RunStatus.RUNNING, 0)


@pytest.mark.parametrize("other", [Decision.DENY, Decision.EXPIRE, Decision.CANCEL])
def test_of_two_decisions_at_once_one_is_made(
    journal: Journal, paused: Run, asked: Asked, clock: FakeClock, other: Decision
) -> None:
    kinds = [Decision.APPROVE, other] * 4
    made = [with_decision(asked, kind, clock, 0, 1) for kind in kinds]
    calls = [
        partial(journal.approvals.decide, paused, asked, after, [told(asked[0], kind)])
        for after, kind in zip(made, kinds, strict=True)
    ]

    results = at_once(calls)

    assert sum(result is not None for result in results) == 1
    decisions = [event for event in events(journal, paused) if isinstance(event, ApprovalDecided)]
    stands = journal.runs.get(paused.tenant, paused.id).approvals
    assert [decision.decision for decision in decisions] == [stands[0].decision]


def test_nothing_is_decided_about_a_run_that_has_ended(
    journal: Journal, paused: Run, asked: Asked, clock: FakeClock
) -> None:
    journal.log.append(paused, [RunEnded(status=RunStatus.CANCELLED, reason="cancelled")])

    made = with_decision(asked, Decision.APPROVE, clock, 0, 1)

    assert journal.approvals.decide(paused, asked, made, [told(asked[0], Decision.APPROVE)]) is None
    assert journal.runs.get(paused.tenant, paused.id).status is RunStatus.CANCELLED
    assert late(journal, paused) == []


def test_an_earlier_wait_decides_nothing_about_a_later_one(
    journal: Journal, paused: Run, asked: Asked, clock: FakeClock
) -> None:
    made = with_decision(asked, Decision.DENY, clock, 0, 1)
    second = journal.approvals.decide(paused, asked, made, [told(asked[0], Decision.DENY)])
    assert second is not None
    journal.executions.claim(second, owner="second")
    more = (*made, question(clock, 1, turn=3))

    third = journal.approvals.ask(second, more, replace(NEXT, turn=3), [needed(more[-1])])

    assert journal.approvals.decide(paused, asked, made, [told(asked[0], Decision.APPROVE)]) is None
    assert journal.runs.get(paused.tenant, paused.id).approvals == more
    assert third.deadline > second.deadline


def test_an_approval_is_used_once_and_by_the_runs_own_execution_alone(
    journal: Journal, claimed: Run, paused: Run, asked: Asked, clock: FakeClock
) -> None:
    made = with_decision(asked, Decision.APPROVE, clock, 0, 1)
    assert not journal.approvals.use(paused, "2-1")
    going_on = journal.approvals.decide(paused, asked, made, [told(asked[0], Decision.APPROVE)])
    assert going_on is not None
    journal.executions.claim(going_on, owner="second")

    assert not journal.approvals.use(claimed, "2-1")
    assert at_once([partial(journal.approvals.use, going_on, "2-1") for _ in range(8)]).count(True) == 1
    assert journal.approvals.use(going_on, "2-2")
    assert not journal.approvals.use(going_on, "2-2")


def test_a_run_that_waits_can_be_cancelled_and_ended(journal: Journal, paused: Run) -> None:
    record = journal.runs.cancel(paused.tenant, paused.id)

    assert (record.status, record.unwanted) == (RunStatus.AWAITING_APPROVAL, True)
    journal.log.append(paused, [RunEnded(status=RunStatus.CANCELLED, reason="cancelled")])
    assert journal.runs.get(paused.tenant, paused.id).status is RunStatus.CANCELLED


def test_a_question_and_a_decision_whose_writes_arrive_twice_are_made_once(
    table: Table, dynamodb: "DynamoDBClient", run: Run, asked: Asked, clock: FakeClock
) -> None:
    client = cast("DynamoDBClient", FaultyClient(dynamodb, twice, WRITES))
    faulty = Table(client=client, name=table.name)
    runs, log = DynamoRuns(table=table, clock=clock), DynamoRunLog(table=faulty, clock=clock)
    approvals = DynamoApprovals(table=faulty, log=log, clock=clock)
    runs.accept(run, REQUEST, None)
    assert DynamoExecutions(table=table, runs=runs, clock=clock).claim(run, owner="first")

    paused = approvals.ask(run, asked, NEXT, [needed(asked[0])])
    made = with_decision(asked, Decision.APPROVE, clock, 0, 1)
    going_on = approvals.decide(paused, asked, made, [told(asked[0], Decision.APPROVE)])

    assert going_on is not None
    assert [type(each.event) for each in log.read(run.tenant, run.id, after=1)] == [ApprovalNeeded, ApprovalDecided]
    assert DynamoExecutions(table=table, runs=runs, clock=clock).claim(going_on, owner="second")
    assert not approvals.use(going_on, "2-1")  # it was used, and nobody heard of it: then it is not made at all
