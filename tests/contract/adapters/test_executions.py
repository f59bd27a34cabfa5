"""The contract of `Executions`, held by the fake and by DynamoDB: who works on a run, and who goes on with it."""

from dataclasses import replace
from functools import partial

import pytest

from plinth.adapters.dynamo_executions import DynamoExecutions
from plinth.adapters.dynamo_runs import DynamoRuns, run_key
from plinth.adapters.dynamodb_items import Value
from plinth.adapters.dynamodb_table import Table, Update
from plinth.adapters.meter import Meter
from plinth.contracts.events import Beginning, RunEnded, RunResumed, TextDelta
from plinth.contracts.executions import BEGINNING, Continuation, ResumeAt
from plinth.contracts.runs import Answer, Receipt, Run, RunRequest, RunStatus
from plinth.contracts.tenant import Tenant
from plinth.errors import RunSupersededError
from plinth.money.platform import HANDING_OVER_UNITS
from tests.contract.adapters.conftest import Cloud, at_once
from tests.contract.adapters.journal import Journal, new_run
from tests.fakes.clock import FakeClock

REQUEST = RunRequest(question="Why?", model="small", user="ada", conversation_id="c1")
ANSWER = Answer(text="Because.", citations=(), stop_reason="end", model="small")
RECEIPT = Receipt(model_calls=(), model_cost_micro_usd=12)
DAY = 86_400
NEXT = Continuation(resume_at=ResumeAt.CALL_MODEL, turn=2, attempt=3, cache_key="k", losses=1)


def test_a_run_is_claimed_by_one_owner_who_may_claim_again(journal: Journal, run: Run) -> None:
    journal.runs.accept(run, REQUEST, None)

    assert journal.executions.claim(run, owner="first")
    assert not journal.executions.claim(run, owner="second")
    assert journal.executions.claim(run, owner="first")
    assert journal.runs.get(run.tenant, run.id).status == RunStatus.RUNNING


def test_a_stale_epoch_or_an_unknown_run_cannot_be_claimed(journal: Journal, run: Run) -> None:
    assert not journal.executions.claim(run, owner="first")
    journal.runs.accept(run, REQUEST, None)

    assert not journal.executions.claim(replace(run, epoch=2), owner="first")


@pytest.mark.guarantee_a
def test_of_sixteen_executions_exactly_one_claims_the_run(journal: Journal, run: Run) -> None:
    journal.runs.accept(run, REQUEST, None)

    claimed = at_once([partial(journal.executions.claim, run, owner=str(number)) for number in range(16)])

    assert claimed.count(True) == 1


def late(journal: Journal, tenant: Tenant) -> list[tuple[str, RunStatus, bool]]:
    """Return the overdue runs of one tenant: the sweep sees those of all."""
    found = journal.executions.overdue(limit=10_000)
    return [(each.run.id, each.status, each.unwanted) for each in found if each.run.tenant == tenant]


@pytest.mark.guarantee_a
def test_a_run_that_nobody_begins_is_overdue_until_it_ends(journal: Journal, run: Run, clock: FakeClock) -> None:
    journal.runs.accept(run, REQUEST, None)
    clock.advance(29)
    before = late(journal, run.tenant)
    clock.advance(1)

    assert before == []
    assert late(journal, run.tenant) == [(run.id, RunStatus.ACCEPTED, False)]
    assert journal.executions.claim(run, owner="one")
    journal.runs.cancel(run.tenant, run.id)
    assert late(journal, run.tenant) == [(run.id, RunStatus.RUNNING, True)]
    journal.log.append(run, [RunEnded(status=RunStatus.DONE)])
    assert late(journal, run.tenant) == []


@pytest.mark.guarantee_a
def test_an_overdue_run_carries_all_that_its_end_needs(journal: Journal, run: Run, clock: FakeClock) -> None:
    kept = replace(run, keep_until=int(clock.now()) + DAY)
    journal.runs.accept(kept, REQUEST, None)
    clock.advance(30)

    (found,) = (each for each in journal.executions.overdue(limit=10_000) if each.run.tenant == run.tenant)

    assert found.run == kept


@pytest.mark.guarantee_a
def test_a_run_that_was_looked_after_is_overdue_again_at_the_time_that_was_set(
    journal: Journal, run: Run, clock: FakeClock
) -> None:
    journal.runs.accept(run, REQUEST, None)
    clock.advance(30)

    journal.executions.look_again(run, at=clock.now() + 10)

    assert late(journal, run.tenant) == []
    clock.advance(10)
    assert len(late(journal, run.tenant)) == 1


@pytest.mark.guarantee_a
def test_a_run_that_ended_meanwhile_is_not_made_overdue(journal: Journal, run: Run, clock: FakeClock) -> None:
    journal.runs.accept(run, REQUEST, None)
    journal.log.append(run, [RunEnded(status=RunStatus.DONE)])

    journal.executions.look_again(run, at=clock.now())

    assert late(journal, run.tenant) == []


def test_a_run_that_was_answered_as_it_was_accepted_is_never_overdue(
    journal: Journal, run: Run, clock: FakeClock
) -> None:
    journal.runs.accept(run, REQUEST, None, Beginning(answer=ANSWER, events=(RunEnded(status=RunStatus.DONE),)))

    clock.advance(1000)

    assert late(journal, run.tenant) == []


def delta(text: str) -> TextDelta:
    return TextDelta(text=text, attempt=1, offset=0)


@pytest.fixture
def claimed(journal: Journal, run: Run) -> Run:
    journal.runs.accept(run, REQUEST, None)
    assert journal.executions.claim(run, owner="first")
    return run


@pytest.mark.guarantee_a
def test_a_run_is_handed_over_to_the_next_epoch_which_one_execution_claims(journal: Journal, claimed: Run) -> None:
    following = journal.executions.hand_over(claimed, NEXT)

    assert following == replace(claimed, epoch=2)
    assert journal.runs.get(claimed.tenant, claimed.id).status is RunStatus.RUNNING
    assert not journal.executions.claim(claimed, owner="first")
    assert journal.executions.claim(following, owner="second")
    assert not journal.executions.claim(following, owner="third")
    assert journal.executions.continuation(following) == NEXT


def test_a_run_that_was_never_handed_over_goes_on_from_its_beginning(journal: Journal, claimed: Run) -> None:
    assert journal.executions.continuation(claimed) == BEGINNING


@pytest.mark.guarantee_a
def test_a_hand_over_that_is_repeated_is_made_once(journal: Journal, claimed: Run) -> None:
    first = journal.executions.hand_over(claimed, NEXT)
    journal.executions.claim(first, owner="second")

    again = journal.executions.hand_over(claimed, replace(NEXT, turn=9))

    assert again == first
    assert journal.executions.continuation(first) == NEXT
    assert journal.executions.claim(first, owner="second")


@pytest.mark.guarantee_a
def test_an_execution_that_was_replaced_hands_nothing_over_and_ends_nothing(journal: Journal, claimed: Run) -> None:
    second = journal.executions.hand_over(claimed, NEXT)
    third = journal.executions.hand_over(second, replace(NEXT, turn=3))

    with pytest.raises(RunSupersededError):
        journal.executions.hand_over(claimed, NEXT)
    with pytest.raises(RunSupersededError):
        journal.log.append(claimed, [RunEnded(status=RunStatus.DONE)])
    assert journal.executions.continuation(third).turn == 3


@pytest.mark.guarantee_a
def test_nothing_that_an_earlier_execution_writes_comes_after_the_next_ones_first_event(
    journal: Journal, claimed: Run
) -> None:
    following = journal.executions.hand_over(claimed, NEXT)
    journal.log.append(claimed, [delta("still")])
    journal.elsewhere.append(following, [RunResumed(because="time")])

    with pytest.raises(RunSupersededError):
        journal.log.append(claimed, [delta("too late")])

    assert [each.epoch for each in journal.log.read(claimed.tenant, claimed.id, after=0)] == [1, 1, 2]


@pytest.mark.guarantee_a
def test_a_run_that_has_ended_is_handed_over_to_nobody(journal: Journal, claimed: Run, clock: FakeClock) -> None:
    journal.log.append(claimed, [RunEnded(status=RunStatus.DONE)])
    clock.advance(DAY)

    with pytest.raises(RunSupersededError):
        journal.executions.hand_over(claimed, NEXT)
    assert journal.executions.take_over(claimed, NEXT) is None


@pytest.mark.guarantee_a
def test_a_run_is_taken_over_only_once_its_lease_is_over(journal: Journal, claimed: Run, clock: FakeClock) -> None:
    clock.advance(119)
    early = journal.executions.take_over(claimed, NEXT)
    journal.executions.renew(claimed)
    clock.advance(119)
    renewed = journal.executions.take_over(claimed, NEXT)
    clock.advance(2)

    assert (early, renewed) == (None, None)
    assert journal.executions.take_over(claimed, NEXT) == replace(claimed, epoch=2)
    assert not journal.executions.claim(claimed, owner="first")


@pytest.mark.guarantee_a
def test_a_lease_outlasts_a_wait_but_never_the_execution(journal: Journal, tenant: Tenant, clock: FakeClock) -> None:
    run = replace(new_run(tenant, clock, seconds=1800), execution_deadline=clock.now() + 270)
    journal.runs.accept(run, REQUEST, None)
    journal.executions.claim(run, owner="first")

    journal.executions.renew(run, wait_seconds=100)
    clock.advance(219)
    waiting = journal.executions.take_over(run, NEXT)
    journal.executions.renew(run, wait_seconds=1000)
    clock.advance(72)

    assert waiting is None
    assert journal.executions.take_over(run, NEXT) is not None


@pytest.mark.guarantee_a
def test_a_lease_of_an_execution_that_was_replaced_holds_nothing(
    journal: Journal, claimed: Run, clock: FakeClock
) -> None:
    following = journal.executions.hand_over(claimed, NEXT)
    journal.executions.claim(following, owner="second")
    clock.advance(121)

    journal.executions.renew(claimed)

    assert journal.executions.take_over(following, NEXT) is not None


@pytest.mark.guarantee_a
def test_of_sixteen_who_take_a_run_over_all_learn_the_same_next_execution(
    journal: Journal, claimed: Run, clock: FakeClock
) -> None:
    clock.advance(121)

    taken = at_once([partial(journal.executions.take_over, claimed, NEXT) for _ in range(16)])

    assert {each.epoch for each in taken if each} == {2}
    assert journal.runs.get(claimed.tenant, claimed.id).epoch == 2


@pytest.mark.guarantee_a
def test_a_run_that_was_handed_over_and_not_begun_is_overdue_without_a_lease(
    journal: Journal, claimed: Run, clock: FakeClock
) -> None:
    following = journal.executions.hand_over(claimed, NEXT)
    clock.advance(30)

    (found,) = (each for each in journal.executions.overdue(limit=10_000) if each.run.tenant == claimed.tenant)

    assert (found.run.epoch, found.leased_until) == (2, 0.0)
    journal.executions.claim(following, owner="second")
    (found,) = (each for each in journal.executions.overdue(limit=10_000) if each.run.tenant == claimed.tenant)
    assert found.leased_until == clock.now() + 120


@pytest.mark.guarantee_a
def test_a_run_whose_row_can_not_be_read_is_overdue_and_hides_no_other(
    table: Table, run: Run, clock: FakeClock
) -> None:
    runs = DynamoRuns(table=table, clock=clock)
    executions = DynamoExecutions(table=table, runs=runs, clock=clock)
    other = new_run(run.tenant, clock)
    for each in (run, other):
        runs.accept(each, REQUEST, None)
    damage: dict[str, Value] = {":damage": b"no request"}
    table.write(Update(key=run_key(run.tenant, run.id), change="SET #request = :damage", values=damage))
    clock.advance(30)

    found = executions.overdue(limit=10_000)
    executions.look_again(run, at=clock.now() + 300)
    later = executions.overdue(limit=10_000)

    readable = {each.run.id: each.readable for each in found if each.run.tenant == run.tenant}
    assert readable == {run.id: False, other.id: True}
    assert [each.run.id for each in later if each.run.tenant == run.tenant] == [other.id]


def test_a_claim_and_a_renewal_write_what_a_claim_without_a_lease_did_and_a_hand_over_what_receipts_count_for_it(
    table: Table, cloud: Cloud, run: Run, clock: FakeClock
) -> None:
    meter = Meter()
    metered = Table(client=cloud.client("dynamodb"), name=table.name, meter=meter)
    runs = DynamoRuns(table=table, clock=clock)
    executions = DynamoExecutions(table=metered, runs=runs, clock=clock)
    runs.accept(run, REQUEST, None)

    executions.claim(run, owner="first")
    claimed = meter.write_units
    executions.renew(run)
    renewed = meter.write_units - claimed
    executions.hand_over(run, NEXT)

    assert (claimed, renewed) == (1.0, 1.0)
    index = 2.0  # moving an entry of an index is two writes on AWS, which the embedded cloud does not count
    assert meter.write_units - claimed - renewed == HANDING_OVER_UNITS - index
