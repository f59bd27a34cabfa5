"""Books, limits and logs over a network that fails: a proxy between them and the embedded cloud that speaks AWS.

It cuts answers after the write was made, resets connections, throttles, refuses by conflict, and cuts bodies short.
What no caller was told may have happened or not; what was told has happened once.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from botocore.config import Config

from bench.failing_network import proxy_before
from plinth.adapters.aws_calls import CALLS
from plinth.adapters.dynamo_ledger_rows import DynamoLedgerRows
from plinth.adapters.dynamo_limits import DynamoLimits
from plinth.adapters.dynamo_run_log import DynamoRunLog
from plinth.adapters.dynamo_runs import DynamoRuns
from plinth.adapters.dynamo_usage import DynamoUsage
from plinth.adapters.dynamodb_table import Table
from plinth.adapters.ledger_over_rows import CONFLICT_SECONDS, LedgerOverRows
from plinth.contracts.access import Tier
from plinth.contracts.events import ReceiptMade, RunEnded, TextDelta
from plinth.contracts.money import Budget
from plinth.contracts.runs import Receipt, Run, RunRequest, RunStatus
from plinth.contracts.tenant import Tenant
from plinth.errors import BudgetExceededError, RunSupersededError, StoreUnavailableError
from tests.contract.adapters.conftest import Cloud
from tests.contract.adapters.ledger.conftest import ledger_table
from tests.contract.adapters.ledger.ledgers import Asked, asked_by, budget_of, day_of, sweep_all
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

__all__ = ["ledger_table"]  # a fixture of the ledger's own tests

FAULTS = [
    {"probability": 0.04, "response": {"abort_bytes": 0}},
    {"probability": 0.04, "response": {"abort_frac": 0.5}},
    {"probability": 0.03, "response": {"truncate_frac": 0.5}},
    {"probability": 0.04, "reset": True},
    {"probability": 0.04, "error": {"code": "ProvisionedThroughputExceededException"}},
    {"probability": 0.04, "operation": "UpdateItem", "error": {"code": "TransactionConflictException"}},
]
THREADS = 16
SIZES = [pytest.param(4, id="short"), pytest.param(60, id="long", marks=pytest.mark.long)]
BOUND, BILL = 100, 30


class Storm:
    """The proxy: `client` goes through it, and it does no harm but between `begin` and `end`."""

    def __init__(self, url: str) -> None:
        self._url = url

    def client(self) -> "DynamoDBClient":
        """Return a client with the settings of the functions."""
        make: Any = boto3.client
        client: DynamoDBClient = make(
            "dynamodb",
            endpoint_url=self._url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=CALLS.merge(Config(max_pool_connections=THREADS)),
        )
        return client

    def begin(self) -> None:
        self._control("POST", "rules", [{"service": "dynamodb", **fault} for fault in FAULTS])

    def end(self) -> Counter[str]:
        """Let everything through again; return how often each kind of fault struck."""
        self._control("POST", "rules", [])
        return Counter(str(each["action"]) for each in self._control("GET", "fired?limit=1000000"))

    def _control(self, method: str, path: str, body: object = None) -> Any:
        answer = httpx.request(method, f"{self._url}/_microburst/{path}", json=body, timeout=10)
        return answer.raise_for_status().json()


@pytest.fixture(scope="module")
def proxy(cloud: Cloud) -> Iterator[Storm]:
    with proxy_before(cloud.endpoint) as url:
        yield Storm(url)


@pytest.fixture
def storm(proxy: Storm) -> Iterator[Storm]:
    proxy.begin()
    yield proxy
    proxy.end()


def in_threads(work: list[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(each) for each in work]:
            done.result()


def repeated(step: Callable[[], object]) -> None:
    """Do what a caller or a machine does about a store that did not answer: ask again, at most 50 times."""
    for _ in range(50):
        with suppress(StoreUnavailableError):
            step()
            return
    raise AssertionError("the storm let nothing through")


def told(storm: Storm, what: object) -> None:
    struck = storm.end()
    assert struck.total() > 0
    sys.stdout.write(f"\n{struck.total()} faults of {len(struck)} kinds; {what}\n")


class Callers:
    """Steps that pay for model calls, each at most once, and die at any point."""

    def __init__(self, ledger: LedgerOverRows, budgets: list[Budget], asked: Asked) -> None:
        self._ledger, self._budgets, self._asked = ledger, budgets, asked
        self.calls: Counter[str] = Counter()
        self.settled: set[str] = set()
        self.refused: set[str] = set()

    def work(self, run_id: str) -> None:
        dice = random.Random(run_id)
        for _ in range(3):  # Step Functions repeats a step that met a transient error
            try:
                return self._once(run_id, dice)
            except StoreUnavailableError:
                if dice.random() < 0.2:
                    return None
        return None

    def _once(self, run_id: str, dice: random.Random) -> None:
        try:
            reservation = self._ledger.reserve(self._asked(run_id, amount=BOUND), self._budgets)
        except BudgetExceededError:
            self.refused.add(run_id)
            return
        if dice.random() < 0.1 or not self._ledger.start(reservation):
            return
        self.calls[run_id] += 1
        if dice.random() >= 0.1:
            self._ledger.settle(reservation, cost_micro_usd=BILL)
            self.settled.add(run_id)


@pytest.mark.guarantee_b
@pytest.mark.parametrize("each", SIZES)
def test_the_ledger_keeps_every_budget_through_a_storm(
    storm: Storm, dynamodb: "DynamoDBClient", ledger_table: Table, tenant: Tenant, each: int
) -> None:
    clock, runs = FakeClock(1_800_014_400.0), [f"run_{number}" for number in range(each * THREADS)]
    limit = len(runs) * BOUND // 5  # not enough for all: the last ones race for what is left
    budgets = [budget_of(tenant, name, day=limit, month=limit * 2) for name in ("", "user ada", "key k")]
    through = Table(client=storm.client(), name=ledger_table.name, conflict_seconds=CONFLICT_SECONDS)
    callers = Callers(LedgerOverRows(DynamoLedgerRows(table=through), clock=clock), budgets, asked_by(tenant, clock))

    in_threads([partial(callers.work, run_id) for run_id in runs])

    made, settled = callers.calls.total(), len(callers.settled)
    told(storm, f"{len(runs)} runs: {made} calls, {settled} settled, {len(callers.refused)} refused")
    calm = LedgerOverRows(DynamoLedgerRows(table=Table(client=dynamodb, name=ledger_table.name)), clock=clock)
    for left, held, spent in (day_of(calm, budget) for budget in budgets):
        assert left is not None
        assert left >= 0
        assert left + held + spent == limit
    clock.advance(400)
    while calm.sweep(limit=1000).refunded or sweep_all(calm).charged:
        pass
    assert max(callers.calls.values()) == 1
    unknown = len(runs) - settled - len(callers.refused)
    for left, held, spent in (day_of(calm, budget) for budget in budgets):
        assert left is not None
        assert (held, left + spent) == (0, limit)
        assert made * BILL <= spent <= settled * BILL + unknown * BOUND


@pytest.mark.guarantee_c
@pytest.mark.parametrize("each", SIZES)
def test_the_request_limit_holds_through_a_storm(storm: Storm, table: Table, tenant: Tenant, each: int) -> None:
    clock, burst = FakeClock(), each * THREADS // 2
    tier = Tier(name="t", models=("m",), max_output_tokens=1, requests_per_minute=60, burst=burst, concurrent_runs=9999)
    limits = DynamoLimits(table=Table(client=storm.client(), name=table.name), clock=clock)
    ends: Counter[str] = Counter()

    def ask(number: int) -> None:
        run = Run(id=f"run_{number}", tenant=tenant, epoch=1, deadline=clock.now() + 270)
        try:
            admission = limits.admit(run, tier, tokens=0)
        except StoreUnavailableError:
            ends["unavailable"] += 1
        else:
            ends["admitted" if admission.admitted else "refused"] += 1

    in_threads([partial(ask, number) for number in range(each * THREADS)])

    told(storm, dict(ends))
    assert ends["admitted"] <= burst
    assert ends["admitted"] + ends["unavailable"] >= burst  # nobody is refused while there is room


@pytest.mark.guarantee_a
@pytest.mark.parametrize("each", SIZES)
def test_runs_and_their_logs_and_usage_are_whole_after_a_storm(
    storm: Storm, dynamodb: "DynamoDBClient", table: Table, tenant: Tenant, each: int
) -> None:
    clock, through = FakeClock(), Table(client=storm.client(), name=table.name)
    texts: dict[str, list[int]] = {}
    ended: set[str] = set()

    def work(number: int) -> None:
        run = Run(id=f"run_{number:026d}", tenant=tenant, epoch=1, deadline=clock.now() + 270)
        request, log = RunRequest(question="?", model="m", user="ann"), None
        repeated(partial(DynamoRuns(table=through, clock=clock).accept, run, request, None))
        texts[run.id] = []
        for offset in range(5):
            log = log or DynamoRunLog(table=through, clock=clock)
            try:
                log.append(run, [TextDelta(text=".", attempt=1, offset=offset)])
                texts[run.id].append(offset)
            except StoreUnavailableError:
                log = None  # the step is repeated elsewhere, and goes on behind what it finds
        receipt = ReceiptMade(receipt=Receipt(model_calls=(), model_cost_micro_usd=0))
        end = [receipt, RunEnded(status=RunStatus.DONE)]
        with suppress(RunSupersededError):  # our own end, whose answer was lost
            repeated(lambda: DynamoRunLog(table=through, clock=clock).append(run, end))
        ended.add(run.id)

    numbers = range(each * THREADS)
    in_threads([partial(work, number) for number in numbers])

    told(storm, f"{len(ended)} runs")
    calm = Table(client=dynamodb, name=table.name)
    log, runs = DynamoRunLog(table=calm, clock=clock), DynamoRuns(table=calm, clock=clock)
    for run_id, known in texts.items():
        logged = log.read(tenant, run_id, after=0)
        assert [entry.seq for entry in logged] == list(range(1, len(logged) + 1))
        offsets = [entry.event.offset for entry in logged if isinstance(entry.event, TextDelta)]
        assert offsets == sorted(set(offsets))
        assert set(known) <= set(offsets)
        assert sum(isinstance(entry.event, RunEnded) for entry in logged) == 1
        assert runs.get(tenant, run_id).status is RunStatus.DONE
    days = DynamoUsage(table=calm).days(tenant, first="0000-01-01", last="9999-12-31")
    assert sum(day.amounts["runs"] for day in days) == len(numbers)
