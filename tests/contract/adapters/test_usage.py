"""The contract of `UsageBook`, held by the fake and by DynamoDB: each run that ends counts once, in its user's day."""

from collections import Counter
from dataclasses import dataclass, replace
from itertools import count

import pytest

from plinth.adapters.dynamo_run_log import DynamoRunLog
from plinth.adapters.dynamo_runs import DynamoRuns
from plinth.adapters.dynamo_usage import DynamoUsage
from plinth.adapters.dynamodb_table import Table
from plinth.adapters.meter import Meter
from plinth.contracts.events import Beginning, ReceiptMade, RunEnded, TextDelta
from plinth.contracts.platform import PlatformCost
from plinth.contracts.runs import Answer, IdempotencyKey, Receipt, Run, RunRequest, RunStatus
from plinth.contracts.tenant import Tenant
from plinth.errors import RunSupersededError
from plinth.money.platform import ACCEPTING_UNITS, ANSWERING_UNITS, ENDING_UNITS
from plinth.ports.runs import RunLog, Runs, UsageBook
from tests.contract.adapters.conftest import Cloud, at_once
from tests.fakes.clock import FakeClock
from tests.fakes.costs import model_cost
from tests.fakes.runs import FakeRunLog, FakeRuns
from tests.fakes.usage import FakeUsage

pytestmark = pytest.mark.guarantee_b

CALL = model_cost()
RECEIPT = Receipt(
    model_calls=(CALL,),
    model_cost_micro_usd=70,
    platform=PlatformCost(cost_nano_usd=5, lines=(), steps={"CallModel": 5}),
)
END = (ReceiptMade(receipt=RECEIPT), RunEnded(status=RunStatus.DONE))
ANSWER = Answer(text="Because.", citations=(), stop_reason="end", model="small")
DAY = 86_400.0
_numbers = count(1)


@dataclass
class Journal:
    """The ports over one store."""

    runs: Runs
    log: RunLog
    usage: UsageBook
    clock: FakeClock

    def accepted(self, tenant: Tenant, *, user: str = "ann", beginning: Beginning | None = None) -> Run:
        run = Run(id=f"use_{next(_numbers):026d}", tenant=tenant, epoch=1, deadline=self.clock.now() + 270)
        request = RunRequest(question="Why?", model="small", user=user)
        self.runs.accept(run, request, None, beginning or Beginning(events=()))
        return run

    def told(self, tenant: Tenant) -> dict[tuple[str, str], Counter[str]]:
        """Return the sums of every day and user."""
        sums: dict[tuple[str, str], Counter[str]] = {}
        for each in self.usage.days(tenant, first="0000-01-01", last="9999-12-31"):
            sums.setdefault((each.day, each.user), Counter()).update(each.amounts)
        return sums


@pytest.fixture(params=["fake", "dynamodb"])
def journal(request: pytest.FixtureRequest, clock: FakeClock) -> Journal:
    clock.advance(1793491199.0 - clock.now())  # 2026-10-31T23:59:59Z
    if request.param == "fake":
        runs = FakeRuns(clock)
        return Journal(runs, FakeRunLog(runs), FakeUsage(runs), clock)
    table = request.getfixturevalue("table")
    return Journal(
        DynamoRuns(table=table, clock=clock),
        DynamoRunLog(table=table, clock=clock),
        DynamoUsage(table=table),
        clock,
    )


def test_a_run_counts_when_it_ends_and_on_that_day(journal: Journal, tenant: Tenant) -> None:
    run = journal.accepted(tenant)
    journal.log.append(run, [TextDelta(text="Because.", attempt=1, offset=0)])
    before = journal.told(tenant)
    journal.clock.advance(1)
    journal.log.append(run, END)

    told = journal.told(tenant)
    assert before == {}
    assert list(told) == [("2026-11-01", "ann")]
    amounts = told["2026-11-01", "ann"]
    assert (amounts["runs"], amounts["model_cost_micro_usd"], amounts["platform_cost_nano_usd"]) == (1, 70, 5)
    assert (amounts["model/claude-haiku-5-5/calls"], amounts["step/CallModel/platform_cost_nano_usd"]) == (1, 5)


def test_a_run_counts_once_however_often_its_end_is_told(journal: Journal, tenant: Tenant) -> None:
    run = journal.accepted(tenant)
    journal.log.append(run, END)

    with pytest.raises(RunSupersededError):
        journal.log.append(run, END)
    assert journal.told(tenant)["2026-10-31", "ann"]["runs"] == 1


def test_a_run_that_is_answered_as_it_is_accepted_counts(journal: Journal, tenant: Tenant) -> None:
    journal.accepted(tenant, beginning=Beginning(events=END, answer=ANSWER))

    assert journal.told(tenant)["2026-10-31", "ann"]["runs"] == 1


def test_users_with_any_name_are_told_apart(journal: Journal, tenant: Tenant) -> None:
    for user in ("ann", "a#b/c", "ä@b"):
        journal.log.append(journal.accepted(tenant, user=user), END)

    assert {user for _, user in journal.told(tenant)} == {"ann", "a#b/c", "ä@b"}


def test_only_the_days_that_are_asked_for_are_told_in_order(journal: Journal, tenant: Tenant) -> None:
    for _ in range(3):
        journal.log.append(journal.accepted(tenant), END)
        journal.clock.advance(DAY)

    days = [each.day for each in journal.usage.days(tenant, first="2026-11-01", last="2026-11-02")]
    assert days == ["2026-11-01", "2026-11-02"]


def test_runs_that_end_at_once_all_count(journal: Journal, tenant: Tenant) -> None:
    runs = [journal.accepted(tenant) for _ in range(16)]

    at_once([lambda run=run: journal.log.append(run, END) for run in runs])

    assert journal.told(tenant)["2026-10-31", "ann"]["model_cost_micro_usd"] == 16 * 70


def test_calls_that_no_receipt_lists_count_once_for_their_user_or_the_bucket(journal: Journal, tenant: Tenant) -> None:
    call = model_cost(cost_micro_usd=70)
    runs = [Run(id=f"doc_a.1.{next(_numbers)}", tenant=tenant, epoch=1, deadline=0) for _ in range(2)]

    for _ in range(2):
        journal.usage.count_calls(runs[0], "ann", [call, call], at=journal.clock.now())
    journal.usage.count_calls(runs[1], "", [call], at=journal.clock.now())

    told = journal.told(tenant)
    ann, bucket = told["2026-10-31", "ann"], told["2026-10-31", "(bucket)"]
    assert ann["model_cost_micro_usd"] == 2 * bucket["model_cost_micro_usd"] == 2 * call.cost_micro_usd
    assert (ann["step/WriteContexts/calls"], ann[f"model/{call.model}/calls"], ann["runs"]) == (2, 2, 0)


@pytest.mark.guarantee_e
def test_another_tenants_days_are_not_told(journal: Journal, tenant: Tenant, other_tenant: Tenant) -> None:
    journal.log.append(journal.accepted(tenant), END)

    assert journal.told(other_tenant) == {}


def test_the_transactions_that_accept_and_end_a_run_consume_what_receipts_count_for_them(
    table: Table, cloud: Cloud, tenant: Tenant, clock: FakeClock
) -> None:
    meter = Meter()
    metered = Table(client=cloud.client("dynamodb"), name=table.name, meter=meter)
    journal = Journal(
        DynamoRuns(table=metered, clock=clock),
        DynamoRunLog(table=metered, clock=clock),
        DynamoUsage(table=table),
        clock,
    )
    request = RunRequest(question="Why?", model="small", user="ann")
    key = IdempotencyKey(key="k", body_sha256="0" * 64)
    run = Run(id=f"use_{next(_numbers):026d}", tenant=tenant, epoch=1, deadline=clock.now() + 270)

    journal.runs.accept(run, request, key)
    accepted = meter.write_units
    journal.log.append(run, END)
    ended = meter.write_units - accepted
    other = replace(run, id=f"use_{next(_numbers):026d}")
    journal.runs.accept(other, request, replace(key, key="other"), Beginning(events=END, answer=ANSWER))
    answered = meter.write_units - accepted - ended

    assert (accepted, answered) == (ACCEPTING_UNITS, ANSWERING_UNITS)
    assert ENDING_UNITS - 2 <= ended <= ENDING_UNITS  # citations and steps fill up a second unit, which counts twice


def test_a_call_after_the_end_is_on_the_receipt_and_in_the_day_once(journal: Journal, tenant: Tenant) -> None:
    run = journal.accepted(tenant)
    journal.runs.add_call(run, CALL)
    assert journal.runs.get(tenant, run.id).receipt is None
    journal.log.append(run, END)

    for _ in range(2):
        journal.runs.add_call(run, replace(CALL, model="large", step="SummarizeTurns", cost_micro_usd=5))
    journal.runs.add_call(replace(run, id="use_of_nobody"), CALL)

    receipt = journal.runs.get(tenant, run.id).receipt
    assert receipt is not None
    assert [call.step for call in receipt.model_calls] == ["CallModel", "SummarizeTurns"]
    (amounts,) = journal.told(tenant).values()
    assert receipt.model_cost_micro_usd == amounts["model_cost_micro_usd"] == 75
    assert (amounts["runs"], amounts["calls"], amounts["model/large/calls"]) == (1, 2, 1)
