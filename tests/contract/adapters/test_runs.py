"""The contract of `Runs` and `RunLog`, held by the fakes and by DynamoDB."""

from dataclasses import replace
from functools import partial
from uuid import uuid4

import msgspec
import pytest

from plinth.contracts.events import Beginning, ReceiptMade, RunAccepted, RunEnded, TextDelta
from plinth.contracts.runs import Answer, Failure, IdempotencyKey, Receipt, Run, RunRequest, RunStatus, Turn
from plinth.contracts.tenant import Tenant
from plinth.errors import ContentMissingError, IdempotencyConflictError, NotFoundError, RunSupersededError
from tests.contract.adapters.conftest import at_once
from tests.contract.adapters.journal import Journal, new_run
from tests.fakes.clock import FakeClock

REQUEST = RunRequest(question="Why?", model="small", user="ada", conversation_id="c1")
ANSWER = Answer(text="Because.", citations=(), stop_reason="end", model="small")
RECEIPT = Receipt(model_calls=(), model_cost_micro_usd=12)
DAY = 86_400


def key(body: str = "body") -> IdempotencyKey:
    return IdempotencyKey(key="once", body_sha256=body)


def delta(text: str) -> TextDelta:
    return TextDelta(text=text, attempt=1, offset=0)


def test_an_accepted_run_can_be_read_back(journal: Journal, run: Run, clock: FakeClock) -> None:
    accepted = journal.runs.accept(run, REQUEST, None)

    record = journal.runs.get(run.tenant, run.id)
    assert (accepted.run_id, accepted.fresh) == (run.id, True)
    assert (record.status, record.epoch, record.deadline) == (RunStatus.ACCEPTED, 1, run.deadline)
    assert (record.request, record.created_at, record.answer) == (REQUEST, clock.now(), None)


def test_accepting_writes_the_first_event(journal: Journal, run: Run, clock: FakeClock) -> None:
    journal.runs.accept(run, REQUEST, key())

    (logged,) = journal.log.read(run.tenant, run.id, after=0)
    assert (logged.seq, logged.epoch, logged.at) == (1, 1, clock.now())
    assert logged.event == RunAccepted(model="small", conversation_id="c1")


@pytest.mark.guarantee_a
def test_a_run_can_be_written_down_with_its_end_and_then_takes_no_more(
    journal: Journal, run: Run, clock: FakeClock
) -> None:
    ending = (delta("Because."), ReceiptMade(receipt=RECEIPT), RunEnded(status=RunStatus.DONE))

    for _ in range(2):
        assert journal.runs.accept(run, REQUEST, key(), Beginning(answer=ANSWER, events=ending)).fresh

    record = journal.runs.get(run.tenant, run.id)
    assert (record.status, record.answer, record.receipt) == (RunStatus.DONE, ANSWER, RECEIPT)
    assert record.ended_at == clock.now()
    assert tuple(each.event for each in journal.log.read(run.tenant, run.id, after=1)) == ending
    assert not journal.executions.claim(run, owner="late")
    with pytest.raises(RunSupersededError):
        journal.log.append(run, [delta("late")])


def test_nothing_of_a_run_can_be_read_from_the_second_of_its_expiry(
    journal: Journal, run: Run, clock: FakeClock
) -> None:
    short = replace(run, keep_until=int(clock.now()) + 2 * DAY)
    journal.runs.accept(short, REQUEST, None)
    journal.log.append(short, [delta("Because.")])
    assert journal.runs.get(run.tenant, run.id).expires_at == short.keep_until

    clock.advance(short.keep_until - 1 - clock.now())
    assert len(journal.log.read(run.tenant, run.id, after=0)) == 2
    clock.advance(1)

    assert journal.log.read(run.tenant, run.id, after=0) == []
    with pytest.raises(NotFoundError):
        journal.runs.get(run.tenant, run.id)


@pytest.mark.guarantee_a
def test_the_same_key_and_body_name_the_first_run(journal: Journal, run: Run, clock: FakeClock) -> None:
    later = new_run(run.tenant, clock)
    journal.runs.accept(run, REQUEST, key())

    again = journal.runs.accept(later, REQUEST, key())

    assert (again.run_id, again.fresh) == (run.id, False)
    with pytest.raises(NotFoundError):
        journal.runs.get(later.tenant, later.id)


@pytest.mark.guarantee_a
def test_the_same_key_with_another_body_is_a_conflict_without_effect(
    journal: Journal, run: Run, clock: FakeClock
) -> None:
    later = new_run(run.tenant, clock)
    journal.runs.accept(run, REQUEST, key())

    with pytest.raises(IdempotencyConflictError):
        journal.runs.accept(later, REQUEST, key("another"))

    assert journal.log.read(later.tenant, later.id, after=0) == []


def test_a_key_can_be_used_anew_once_it_expired(journal: Journal, run: Run, clock: FakeClock) -> None:
    journal.runs.accept(run, REQUEST, key())
    clock.advance(DAY + 1)
    later = new_run(run.tenant, clock)

    assert journal.runs.accept(later, REQUEST, key("another")).fresh


def test_a_key_belongs_to_one_tenant(journal: Journal, run: Run, clock: FakeClock, other_tenant: Tenant) -> None:
    journal.runs.accept(run, REQUEST, key())

    assert journal.runs.accept(new_run(other_tenant, clock), REQUEST, key("another")).fresh


@pytest.mark.guarantee_a
def test_accepting_the_same_run_again_after_a_lost_answer_changes_nothing(journal: Journal, run: Run) -> None:
    journal.runs.accept(run, REQUEST, key())
    journal.executions.claim(run, owner="execution")

    again = journal.runs.accept(run, REQUEST, key())

    assert (again.run_id, again.fresh) == (run.id, True)
    assert journal.runs.get(run.tenant, run.id).status == RunStatus.RUNNING


@pytest.mark.guarantee_a
def test_of_sixteen_requests_with_one_key_exactly_one_is_fresh(
    journal: Journal, tenant: Tenant, clock: FakeClock
) -> None:
    runs = [new_run(tenant, clock) for _ in range(16)]

    accepted = at_once([partial(journal.runs.accept, run, REQUEST, key()) for run in runs])

    (fresh,) = [each for each in accepted if each.fresh]
    assert {each.run_id for each in accepted} == {fresh.run_id}
    assert sum(bool(journal.log.read(tenant, run.id, after=0)) for run in runs) == 1


@pytest.mark.guarantee_e
def test_a_foreign_run_is_as_absent_as_an_unknown_one(journal: Journal, run: Run, other_tenant: Tenant) -> None:
    journal.runs.accept(run, REQUEST, None)

    with pytest.raises(NotFoundError):
        journal.runs.get(other_tenant, run.id)
    assert journal.log.read(other_tenant, run.id, after=0) == []
    journal.runs.put_content(run, "prompt", "text")
    with pytest.raises(ContentMissingError):
        journal.runs.get_content(replace(run, tenant=other_tenant), "prompt", str)


def test_a_finished_run_shows_its_answer_and_receipt(journal: Journal, run: Run, clock: FakeClock) -> None:
    journal.runs.accept(run, REQUEST, None)
    journal.runs.put_content(run, "answer", ANSWER)

    journal.log.append(run, [ReceiptMade(receipt=RECEIPT), RunEnded(status=RunStatus.DONE)])

    record = journal.runs.get(run.tenant, run.id)
    assert (record.status, record.answer, record.receipt, record.failure) == (RunStatus.DONE, ANSWER, RECEIPT, None)
    assert record.ended_at == clock.now()


def test_a_run_ends_once(journal: Journal, run: Run) -> None:
    failure = Failure(reason="model_failed", message="The model failed.")
    failed = RunEnded(status=RunStatus.FAILED, reason=failure.reason, message=failure.message)
    done = RunEnded(status=RunStatus.DONE)
    journal.runs.accept(run, REQUEST, None)

    with pytest.raises(RunSupersededError):
        journal.log.append(replace(run, epoch=2), [done])
    journal.log.append(run, [failed])
    with pytest.raises(RunSupersededError):
        journal.log.append(run, [ReceiptMade(receipt=RECEIPT), done])
    assert not journal.executions.claim(run, owner="late")
    record = journal.runs.get(run.tenant, run.id)
    assert (record.status, record.failure, record.receipt) == (RunStatus.FAILED, failure, None)


@pytest.mark.guarantee_a
def test_a_run_that_lost_its_execution_counts_as_failed_soon_after_its_deadline(
    journal: Journal, run: Run, clock: FakeClock
) -> None:
    journal.runs.accept(run, REQUEST, None)
    journal.executions.claim(run, owner="execution")
    clock.advance(run.deadline - clock.now() + 59)
    before = journal.runs.get(run.tenant, run.id).status
    clock.advance(2)

    record = journal.runs.get(run.tenant, run.id)

    assert before is RunStatus.RUNNING
    assert (record.status, record.failure and record.failure.reason) == (RunStatus.FAILED, "timed_out")


def test_content_is_read_back_as_it_was_put(journal: Journal, run: Run) -> None:
    turns = (Turn(question="a", answer="ä" * 5000, at=1.5),)
    journal.runs.accept(run, REQUEST, None)

    journal.runs.put_content(run, "turns", turns)
    journal.runs.put_content(run, "turns", turns)

    assert journal.runs.get_content(run, "turns", tuple[Turn, ...]) == turns
    with pytest.raises(ContentMissingError):
        journal.runs.get_content(run, "prompt", str)


def test_everything_that_was_handed_on_can_be_read_as_json_until_it_expires(
    journal: Journal, run: Run, other_tenant: Tenant, clock: FakeClock
) -> None:
    run = replace(run, contents_until=int(clock.now()) + 60)
    journal.runs.accept(run, REQUEST, None)
    journal.runs.put_content(run, "turns", (Turn(question="a", answer="b", at=1.5),))
    journal.runs.put_content(run, "answer", ANSWER)

    before = journal.runs.contents(run.tenant, run.id)
    foreign = journal.runs.contents(other_tenant, run.id)
    clock.advance(60)

    (turn,) = msgspec.convert(before["turns"], list[dict[str, object]])
    assert (turn["question"], turn["answer"], turn["at"], turn["documents"]) == ("a", "b", 1.5, [])
    assert (set(before), foreign) == ({"turns", "answer"}, {})
    assert set(journal.runs.contents(run.tenant, run.id)) == {"answer"}


@pytest.mark.guarantee_a
def test_an_earlier_epoch_cannot_replace_content(journal: Journal, run: Run) -> None:
    journal.runs.accept(run, REQUEST, None)
    journal.runs.put_content(replace(run, epoch=2), "prompt", "new")

    with pytest.raises(RunSupersededError):
        journal.runs.put_content(run, "prompt", "old")

    assert journal.runs.get_content(run, "prompt", str) == "new"


def test_events_are_numbered_in_the_order_of_appending(journal: Journal, run: Run) -> None:
    journal.runs.accept(run, REQUEST, None)

    assert journal.log.append(run, [delta("a"), delta("b")]) == 3
    assert journal.log.append(run, [delta("c")]) == 4

    logged = journal.log.read(run.tenant, run.id, after=1)
    assert [(each.seq, each.event) for each in logged] == [(2, delta("a")), (3, delta("b")), (4, delta("c"))]


def test_a_reader_can_start_in_the_middle_of_a_batch(journal: Journal, run: Run) -> None:
    journal.runs.accept(run, REQUEST, None)
    journal.log.append(run, [delta("a"), delta("b"), delta("c")])

    assert [each.seq for each in journal.log.read(run.tenant, run.id, after=2)] == [3, 4]
    assert journal.log.read(run.tenant, run.id, after=4) == []


@pytest.mark.parametrize("after", range(23))
def test_a_reader_can_come_back_after_any_event(journal: Journal, run: Run, after: int) -> None:
    journal.runs.accept(run, REQUEST, None)
    for number in range(11):
        journal.log.append(run, [delta(f"{number}"), delta(f"{number}+")])

    assert [each.seq for each in journal.log.read(run.tenant, run.id, after=after)] == list(range(after + 1, 24))


def test_a_log_longer_than_a_page_is_read_whole(journal: Journal, run: Run) -> None:
    journal.runs.accept(run, REQUEST, None)
    incompressible = "".join(uuid4().hex for _ in range(8000))
    for _ in range(6):
        journal.log.append(run, [delta(incompressible)])

    assert [each.seq for each in journal.log.read(run.tenant, run.id, after=0)] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.guarantee_a
def test_an_unknown_run_and_an_ended_one_take_no_events(journal: Journal, run: Run) -> None:
    with pytest.raises(RunSupersededError):
        journal.log.append(run, [delta("unknown")])
    journal.runs.accept(run, REQUEST, None)
    journal.log.append(run, [delta("mine"), RunEnded(status=RunStatus.DONE)])

    for log in (journal.log, journal.elsewhere):
        with pytest.raises(RunSupersededError):
            log.append(run, [delta("late")])

    assert len(journal.log.read(run.tenant, run.id, after=0)) == 3


@pytest.mark.guarantee_a
def test_an_earlier_execution_takes_no_events_once_a_later_one_has_written(journal: Journal, run: Run) -> None:
    later = replace(run, epoch=2)
    journal.runs.accept(run, REQUEST, None)
    journal.log.append(run, [delta("mine")])
    journal.elsewhere.append(later, [delta("theirs")])

    for log in (journal.log, journal.elsewhere):
        with pytest.raises(RunSupersededError):
            log.append(run, [delta("stale")])
        with pytest.raises(RunSupersededError):
            log.append(run, [RunEnded(status=RunStatus.DONE)])

    logged = journal.log.read(run.tenant, run.id, after=1)
    assert [(each.epoch, each.event) for each in logged] == [(1, delta("mine")), (2, delta("theirs"))]


@pytest.mark.guarantee_a
def test_an_execution_that_does_not_own_the_run_cannot_end_it(journal: Journal, run: Run) -> None:
    journal.runs.accept(run, REQUEST, None)

    with pytest.raises(RunSupersededError):
        journal.log.append(replace(run, epoch=2), [delta("x"), RunEnded(status=RunStatus.DONE)])

    assert len(journal.log.read(run.tenant, run.id, after=0)) == 1
    assert journal.runs.get(run.tenant, run.id).status is RunStatus.ACCEPTED


def test_two_writers_take_turns_without_losing_an_event(journal: Journal, run: Run) -> None:
    journal.runs.accept(run, REQUEST, None)

    ends = [log.append(run, [delta("x")]) for log in (journal.log, journal.elsewhere) * 3]

    assert ends == [2, 3, 4, 5, 6, 7]


@pytest.mark.guarantee_a
def test_a_writer_who_comes_back_after_very_many_events_of_others_appends_behind_them(
    journal: Journal, run: Run
) -> None:
    journal.runs.accept(run, REQUEST, None)
    journal.log.append(run, [delta("first")])
    for _ in range(50):
        journal.elsewhere.append(run, [delta("x")])

    assert journal.log.append(run, [delta("last")]) == 53


@pytest.mark.guarantee_a
def test_four_racing_writers_leave_a_gapless_log_in_which_each_keeps_its_order(journal: Journal, run: Run) -> None:
    journal.runs.accept(run, REQUEST, None)

    def write(writer: int) -> None:
        log = journal.log if writer % 2 else journal.elsewhere
        for number in range(6):
            log.append(run, [delta(f"{writer} {number}"), delta(f"{writer} {number}+")])

    at_once([partial(write, writer) for writer in range(4)])

    logged = journal.log.read(run.tenant, run.id, after=1)
    texts = [each.event.text for each in logged if isinstance(each.event, TextDelta)]
    assert [each.seq for each in logged] == list(range(2, 50))
    for writer in range(4):
        mine = [text for text in texts if text.startswith(f"{writer} ")]
        assert mine == [f"{writer} {number}{end}" for number in range(6) for end in ("", "+")]
    assert all(second == f"{first}+" for first, second in zip(texts[::2], texts[1::2], strict=True))


def test_a_run_that_is_cancelled_stays_open_until_its_execution_ends_it(journal: Journal, run: Run) -> None:
    journal.runs.accept(run, REQUEST, None)

    marked = [journal.runs.cancel(run.tenant, run.id) for _ in range(2)]

    assert [(each.status, each.unwanted) for each in marked] == [(RunStatus.ACCEPTED, True)] * 2
    assert journal.executions.claim(run, owner="one")
    assert journal.runs.get(run.tenant, run.id).unwanted
    journal.log.append(run, [RunEnded(status=RunStatus.CANCELLED, reason="cancelled")])
    assert journal.runs.get(run.tenant, run.id).status is RunStatus.CANCELLED


def test_a_run_that_has_ended_can_not_be_cancelled_and_one_that_is_not_there_is_not_found(
    journal: Journal, run: Run, clock: FakeClock
) -> None:
    journal.runs.accept(run, REQUEST, None)
    journal.log.append(run, [RunEnded(status=RunStatus.DONE)])

    ended = journal.runs.cancel(run.tenant, run.id)

    assert (ended.status, ended.unwanted) == (RunStatus.DONE, False)
    with pytest.raises(NotFoundError):
        journal.runs.cancel(run.tenant, new_run(run.tenant, clock).id)


@pytest.mark.guarantee_e
def test_another_tenants_run_can_not_be_cancelled(journal: Journal, run: Run, other_tenant: Tenant) -> None:
    journal.runs.accept(run, REQUEST, None)

    with pytest.raises(NotFoundError):
        journal.runs.cancel(other_tenant, run.id)
    assert not journal.runs.get(run.tenant, run.id).unwanted
