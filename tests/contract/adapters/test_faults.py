"""What DynamoDB's faults may do: a write that arrived twice, a conflict, an answer that was cut short."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from plinth.adapters.dynamo_documents import DynamoDocuments
from plinth.adapters.dynamo_executions import DynamoExecutions
from plinth.adapters.dynamo_limits import DynamoLimits
from plinth.adapters.dynamo_run_log import DynamoRunLog
from plinth.adapters.dynamo_runs import DynamoRuns
from plinth.adapters.dynamo_tenants import DynamoTenants
from plinth.adapters.dynamodb_table import Table
from plinth.contracts.access import Tier
from plinth.contracts.events import Reset, RunEnded
from plinth.contracts.executions import Continuation
from plinth.contracts.memory import Content, DocumentVersion
from plinth.contracts.runs import IdempotencyKey, Run, RunRequest, RunStatus
from plinth.contracts.tenant import Tenant
from plinth.errors import PlinthError, StoreUnavailableError
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REQUEST = RunRequest(question="Why?", model="small", user="ada")
KEY = IdempotencyKey(key="once", body_sha256="body")
EVENT = Reset(attempt=1, reason="")
WRITES = ("put_item", "update_item", "transact_write_items")
Call = Callable[..., Any]


class FaultyClient:
    """A real client of which some calls go through `fault`."""

    def __init__(self, client: "DynamoDBClient", fault: Callable[[Call], Call], calls: tuple[str, ...]) -> None:
        self._client = client
        self._fault = fault
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        return self._fault(call) if name in self._calls else call


@pytest.fixture
def faulty(table: Table, dynamodb: "DynamoDBClient") -> Callable[..., Table]:
    """Make the same table reached through a faulty client."""

    def make(fault: Callable[[Call], Call], *calls: str) -> Table:
        return Table(client=cast("DynamoDBClient", FaultyClient(dynamodb, fault, calls)), name=table.name)

    return make


def a_run(tenant: Tenant, clock: FakeClock, number: int) -> Run:
    return Run(id=f"run_{number:026d}", tenant=tenant, epoch=1, deadline=clock.now() + 270)


def twice(call: Call) -> Call:
    """Make every call arrive twice, as when the first answer is lost and the SDK tries again without a token."""

    def both(**request: Any) -> Any:
        call(**request)
        return call(**request)

    return both


def cut_short(call: Call) -> Call:
    """Answer with nothing but metadata, as botocore does for a truncated body."""
    return lambda **request: {"ResponseMetadata": call(**request)["ResponseMetadata"]}


def cancelled(*codes: str) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(response, "TransactWriteItems")


def failing(error: Exception, *, times: int) -> Callable[[Call], Call]:
    """Raise `error` for the first calls."""
    left = [error] * times

    def fault(call: Call) -> Call:
        def attempt(**request: Any) -> Any:
            if left:
                raise left.pop()
            return call(**request)

        return attempt

    return fault


@pytest.fixture
def run(tenant: Tenant, clock: FakeClock) -> Run:
    return Run(id="run_1", tenant=tenant, epoch=1, deadline=clock.now() + 270)


@pytest.mark.guarantee_a
def test_a_run_whose_writes_all_arrive_twice_is_accepted_claimed_handed_over_logged_and_ended_once(
    faulty: Callable[..., Table], run: Run, clock: FakeClock
) -> None:
    table = faulty(twice, *WRITES)
    runs, log = DynamoRuns(table=table, clock=clock), DynamoRunLog(table=table, clock=clock)

    assert runs.accept(run, REQUEST, KEY).fresh
    executions = DynamoExecutions(table=table, runs=runs, clock=clock)
    assert executions.claim(run, owner="execution")
    assert log.append(run, [EVENT, EVENT]) == 3
    following = executions.hand_over(run, Continuation(turn=2))
    assert executions.claim(following, owner="next")
    assert executions.continuation(following).turn == 2
    assert log.append(following, [EVENT]) == 4
    runs.put_content(following, "prompt", "text")
    assert log.append(following, [RunEnded(status=RunStatus.DONE)]) == 5

    assert [each.seq for each in log.read(run.tenant, run.id, after=0)] == [1, 2, 3, 4, 5]
    assert runs.get(run.tenant, run.id).status is RunStatus.DONE


@pytest.mark.guarantee_a
def test_a_run_without_a_key_that_arrives_twice_is_accepted(
    faulty: Callable[..., Table], run: Run, clock: FakeClock
) -> None:
    assert DynamoRuns(table=faulty(twice, *WRITES), clock=clock).accept(run, REQUEST, None).fresh


@pytest.mark.guarantee_d
def test_a_document_whose_writes_all_arrive_twice_is_published_and_deleted_once(
    faulty: Callable[..., Table], version: Callable[..., DocumentVersion], clock: FakeClock, tenant: Tenant
) -> None:
    documents = DynamoDocuments(table=faulty(twice, *WRITES), clock=clock)

    assert documents.begin(version(1), execution="one") == 1
    assert documents.publish(replace(version(1), attempt=1), Content(title="Title", passages=1)) == 1
    assert documents.close(version(2)) == 2
    assert not documents.begin(version(1), execution="two")


@pytest.mark.guarantee_c
def test_a_request_that_arrives_twice_only_admits_less(
    faulty: Callable[..., Table], tenant: Tenant, clock: FakeClock
) -> None:
    limits = DynamoLimits(table=faulty(twice, *WRITES), clock=clock)
    tier = Tier(name="any", models=(), max_output_tokens=1, requests_per_minute=60, burst=5)

    admitted = [limits.admit(a_run(tenant, clock, number), tier, tokens=1).admitted for number in range(6)]

    assert 2 <= admitted.count(True) <= 5


@pytest.mark.guarantee_c
def test_a_run_whose_writes_all_arrive_twice_takes_and_gives_back_its_tokens_and_its_place_once(
    faulty: Callable[..., Table], tenant: Tenant, clock: FakeClock
) -> None:
    limits = DynamoLimits(table=faulty(twice, *WRITES), clock=clock)
    tier = Tier(name="any", models=(), max_output_tokens=1, tokens_per_minute=600, concurrent_runs=3)
    runs = [a_run(tenant, clock, number) for number in range(3)]

    admitted = [limits.admit(run, tier, tokens=100).admitted for run in runs]
    during = [left.remaining for left in limits.left(tenant, tier)]
    for run in runs:
        limits.ended(run, used_tokens=50)

    assert admitted == [True] * 3
    assert during == [300, 0]
    assert [left.remaining for left in limits.left(tenant, tier)] == [450, 3]


@pytest.mark.guarantee_c
def test_an_end_that_can_not_be_told_costs_no_answer_and_only_admits_less(
    faulty: Callable[..., Table], table: Table, tenant: Tenant, clock: FakeClock
) -> None:
    tier = Tier(name="any", models=(), max_output_tokens=1, tokens_per_minute=600, concurrent_runs=1)
    run = a_run(tenant, clock, 1)
    DynamoLimits(table=table, clock=clock).admit(run, tier, tokens=100)
    throttled = ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "UpdateItem")
    for fault in (failing(throttled, times=9), cut_short):
        DynamoLimits(table=faulty(fault, "get_item", "update_item"), clock=clock).ended(run, used_tokens=0)

    assert [left.remaining for left in DynamoLimits(table=table, clock=clock).left(tenant, tier)] == [500, 0]


def test_a_conflict_is_tried_again(faulty: Callable[..., Table], run: Run, clock: FakeClock) -> None:
    table = faulty(failing(cancelled("TransactionConflict", "None"), times=3), "transact_write_items")

    assert DynamoRuns(table=table, clock=clock).accept(run, REQUEST, KEY).fresh


def test_endless_conflicts_are_transient_and_not_a_refusal(
    faulty: Callable[..., Table], version: Callable[..., DocumentVersion], clock: FakeClock, tenant: Tenant
) -> None:
    table = faulty(failing(cancelled("None", "TransactionConflict"), times=99), "transact_write_items")
    documents = DynamoDocuments(table=table, clock=clock)
    documents.begin(version(1), execution="one")

    with pytest.raises(StoreUnavailableError):
        documents.publish(replace(version(1), attempt=1), Content(title="Title", passages=1))
    with pytest.raises(StoreUnavailableError):
        documents.close(version(2))


def test_a_throttled_transaction_is_transient(faulty: Callable[..., Table], run: Run, clock: FakeClock) -> None:
    table = faulty(failing(cancelled("ThrottlingError", "None"), times=99), "transact_write_items")

    with pytest.raises(StoreUnavailableError):
        DynamoRuns(table=table, clock=clock).accept(run, REQUEST, KEY)


@pytest.mark.parametrize(
    ("code", "transient"), [("ThrottlingException", True), ("InternalServerError", True), ("AccessDenied", False)]
)
def test_a_failure_is_transient_only_if_a_later_try_may_help(
    faulty: Callable[..., Table], run: Run, clock: FakeClock, code: str, *, transient: bool
) -> None:
    error = ClientError({"Error": {"Code": code, "Message": "secret"}}, "UpdateItem")
    table = faulty(failing(error, times=1), "update_item")
    executions = DynamoExecutions(table=table, runs=DynamoRuns(table=table, clock=clock), clock=clock)

    with pytest.raises(PlinthError) as raised:
        executions.claim(run, owner="execution")

    assert isinstance(raised.value, StoreUnavailableError) is transient
    assert "secret" not in str(raised.value)


def test_silence_is_transient(faulty: Callable[..., Table], tenant: Tenant) -> None:
    silent = faulty(failing(ReadTimeoutError(endpoint_url="http://store"), times=1), "get_item")

    with pytest.raises(StoreUnavailableError):
        DynamoTenants(table=silent).key("id")


@pytest.mark.guarantee_a
def test_an_answer_that_was_cut_short_is_never_an_absent_item(
    faulty: Callable[..., Table], run: Run, clock: FakeClock, tenant: Tenant
) -> None:
    table = faulty(cut_short, "get_item", "query", "batch_get_item")
    reads: list[Callable[[], object]] = [
        lambda: DynamoRuns(table=table, clock=clock).get(tenant, run.id),
        lambda: DynamoRunLog(table=table, clock=clock).read(tenant, run.id, after=0),
        lambda: DynamoTenants(table=table).key("id"),
        lambda: DynamoTenants(table=table).standing(tenant),
        lambda: DynamoDocuments(table=table, clock=clock).corpus_version(tenant),
        lambda: DynamoDocuments(table=table, clock=clock).live_generations(tenant, ["doc_a"]),
    ]

    for read in reads:
        with pytest.raises(StoreUnavailableError):
            read()


def test_keys_that_a_batch_leaves_unread_are_asked_for_again(
    faulty: Callable[..., Table], version: Callable[..., DocumentVersion], clock: FakeClock, tenant: Tenant
) -> None:
    def one_key_at_a_time(call: Call) -> Call:
        def answer(*, RequestItems: dict[str, Any], **rest: Any) -> Any:  # noqa: N803 - boto3's own name
            ((name, asked),) = RequestItems.items()
            answered = call(RequestItems={name: {**asked, "Keys": asked["Keys"][:1]}}, **rest)
            left = asked["Keys"][1:]
            return {**answered, "UnprocessedKeys": {name: {**asked, "Keys": left}} if left else {}}

        return answer

    documents = DynamoDocuments(table=faulty(one_key_at_a_time, "batch_get_item"), clock=clock)
    for name in ("a.txt", "b.txt", "c.txt"):
        documents.begin(version(1, name=name), execution="one")
        documents.publish(replace(version(1, name=name), attempt=1), Content(title="Title", passages=1))

    assert set(documents.live_generations(tenant, ["doc_a", "doc_b", "doc_c"])) == {"doc_a", "doc_b", "doc_c"}
