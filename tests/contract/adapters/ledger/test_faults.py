"""The ledger on a store that fails: every write of a call cut off in each way, conflicts, and what each call writes."""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from plinth.adapters import ledger_over_rows
from plinth.adapters.dynamo_ledger_rows import DynamoLedgerRows
from plinth.adapters.dynamodb_table import Table
from plinth.adapters.ledger_over_rows import CONFLICT_SECONDS, LedgerOverRows
from plinth.contracts.money import Budget, Reservation
from plinth.contracts.tenant import Tenant
from plinth.errors import BudgetExceededError, StoreUnavailableError
from plinth.money.budget_rows import budget_key
from tests.contract.adapters.conftest import at_once
from tests.contract.adapters.ledger.ledgers import Asked, budget_of, day_of, in_flight, sweep_all
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.guarantee_b

WRITES = ("update_item", "transact_write_items")
LOST = ReadTimeoutError(endpoint_url="http://store")


def conflict_at(met: Sequence[bool]) -> ClientError:
    """Make the error that says of each item whether another transaction held it."""
    reasons = [{"Code": "TransactionConflict" if each else "None"} for each in met]
    response = {"Error": {"Code": "TransactionCanceledException", "Message": ""}, "CancellationReasons": reasons}
    return ClientError(cast("Any", response), "TransactWriteItems")


Call = Callable[..., Any]
Wrap = Callable[[Call, dict[str, Any]], Any]


class KilledError(Exception):
    """The process was killed."""


class WrappedClient:
    """A real client whose writes go through `wrap`."""

    def __init__(self, client: "DynamoDBClient", wrap: Wrap) -> None:
        self._client = client
        self._wrap = wrap

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        return (lambda **request: self._wrap(call, request)) if name in WRITES else call


Over = Callable[..., LedgerOverRows]


@pytest.fixture
def ledger_over(ledger_table: Table, dynamodb: "DynamoDBClient", clock: FakeClock) -> Over:
    """Make a ledger over a client whose writes go through `wrap`."""

    def make(wrap: Wrap, *, patience: float = 1.0) -> LedgerOverRows:
        client = cast("DynamoDBClient", WrappedClient(dynamodb, wrap))
        table = Table(client=client, name=ledger_table.name, conflict_seconds=patience)
        return LedgerOverRows(DynamoLedgerRows(table=table), clock=clock)

    return make


def unharmed(call: Call, request: dict[str, Any]) -> Any:
    return call(**request)


def failing_at(number: int, how: str) -> Wrap:
    """Fail one write: killed before it or after it, its answer lost, made twice, or met by a conflict first."""
    count = [0]

    def wrap(call: Call, request: dict[str, Any]) -> Any:
        count[0] += 1
        if count[0] != number + 1:
            return call(**request)
        if how in ("before", "conflict"):
            raise KilledError if how == "before" else conflict_at([True, False])
        answer = call(**request)
        if how in ("after", "lost"):
            raise KilledError if how == "after" else LOST
        return call(**request) if how == "twice" else answer

    return wrap


def one_call(ledger: LedgerOverRows, asked: Reservation, budgets: list[Budget], calls: list[str]) -> None:
    """Do what the step does, and once more where the store did not answer."""
    try:
        reservation = ledger.reserve(asked, budgets)
        if ledger.start(reservation):
            calls.append(asked.run.id)
            try:
                ledger.settle(reservation, cost_micro_usd=30)
            except StoreUnavailableError:
                ledger.settle(reservation, cost_micro_usd=30)
    except StoreUnavailableError:
        one_call(ledger, asked, budgets, calls)


COURSES = list(product(("before", "after", "lost", "twice", "conflict"), ("given up", "repeated")))


@pytest.mark.parametrize("course", COURSES, ids=" ".join)
def test_no_crash_at_any_write_loses_doubles_or_overspends_anything(
    ledger_over: Over, asked: Asked, tenant: Tenant, clock: FakeClock, course: tuple[str, str]
) -> None:
    how, afterwards = course
    whole = ledger_over(unharmed)
    for number in range(6):
        budgets = [budget_of(tenant, f"{kind} {number}") for kind in ("user", "key")]
        what, calls = asked(f"run_{number}"), list[str]()
        try:
            one_call(ledger_over(failing_at(number, how)), what, budgets, calls)
        except KilledError:
            if afterwards == "repeated":
                one_call(whole, what, budgets, calls)
        clock.advance(400)
        sweep_all(whole)

        assert len(calls) <= 1
        for budget in budgets:
            left, held, spent = day_of(whole, budget)
            assert held == 0
            assert left == 1000 - spent
            assert spent in ((30, 100) if calls else (0, 100))


def test_a_lost_answer_does_not_lose_the_start(ledger_over: Over, asked: Asked, tenant: Tenant) -> None:
    ledger = ledger_over(failing_at(0, "twice"))
    reservation = ledger_over(unharmed).reserve(asked(), [budget_of(tenant)])

    assert ledger.start(reservation)


def test_endless_conflicts_are_no_refusal(ledger_over: Over, asked: Asked, tenant: Tenant) -> None:
    def conflict(call: Call, request: dict[str, Any]) -> Any:
        raise conflict_at([False, True])

    with pytest.raises(StoreUnavailableError):
        ledger_over(conflict).reserve(asked(), [budget_of(tenant)])


class Contention:
    """Refuse a transaction while another one is under way on one of its items, as AWS does and ministack does not."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._busy: set[str] = set()
        self.conflicts = 0

    def __call__(self, call: Call, request: dict[str, Any]) -> Any:
        writes: Sequence[Any] = request.get("TransactItems") or [{"Update": request}]
        keys = [str(each["Update"]["Key"]) for each in writes]
        with self._lock:
            met = [key in self._busy for key in keys]
            if any(met):
                self.conflicts += 1
                raise conflict_at(met)
            self._busy |= set(keys)
        try:
            return call(**request)
        finally:
            with self._lock:
                self._busy -= set(keys)


@pytest.mark.parametrize("racers", [16, pytest.param(200, marks=pytest.mark.long)])
def test_callers_who_conflict_are_told_to_come_back_and_never_refused_wrongly(
    ledger_over: Over,
    asked: Asked,
    tenant: Tenant,
    racers: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All want the same four rows at the same moment, and there is room for all but one."""
    contention = Contention()
    ledger = ledger_over(contention, patience=CONFLICT_SECONDS)
    budgets = [budget_of(tenant, name, day=(racers - 1) * 100) for name in ("", "user ada", "key a", "key b")]

    def ask(number: int) -> str:
        try:
            ledger.reserve(asked(f"run_{number}"), budgets)
        except BudgetExceededError:
            return "refused"
        except StoreUnavailableError:
            return "unavailable"
        return "held"

    ends = at_once([partial(ask, number) for number in range(racers)])

    with capsys.disabled():
        told = {end: ends.count(end) for end in ("held", "refused", "unavailable")}
        sys.stdout.write(f"\n{racers} callers at once, {contention.conflicts} conflicts: {told}\n")
    assert ends.count("refused") == 1 - bool(told["unavailable"])
    assert told["held"] + told["unavailable"] >= racers - 1
    assert [day_of(ledger, budget)[1] for budget in budgets] == [ends.count("held") * 100] * 4


@pytest.fixture(params=["whole", "split"])
def split(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Say whether a row that callers conflict over is split."""
    split = bool(request.param == "split")
    monkeypatch.setattr(ledger_over_rows, "_CONFLICTS", 3 if split else sys.maxsize)
    return split


@pytest.mark.parametrize("racers", [32, pytest.param(200, marks=pytest.mark.long)])
def test_a_budget_that_is_busy_is_split_and_still_spent_to_the_last(
    ledger_over: Over, ledger_table: Table, asked: Asked, racers: int, *, split: bool
) -> None:
    """Many call at once, every second call is settled, then exactly the rest can be had."""
    ledger = ledger_over(Contention(), patience=CONFLICT_SECONDS)
    tenant = asked().run.tenant
    budgets = [budget_of(tenant, f"{kind} {split}", day=100_000 + racers * 100) for kind in ("user", "key")]
    ledger.reserve(asked(f"first_{split}", amount=0), budgets)

    started = at_once([partial(in_flight, ledger, asked(f"run_{split}_{n}"), budgets) for n in range(racers)])
    for each in started[::2]:
        ledger.settle(each, cost_micro_usd=40)

    rows = ledger_table.get_many([budget_key(each.scope) for each in budgets])
    assert [bool(row["lent"]) for row in rows] == [split, split]
    left = 100_000 + 60 * len(started[::2])
    assert [day_of(ledger, each) for each in budgets] == [(left, 100 * len(started[1::2]), 40 * len(started[::2]))] * 2
    with pytest.raises(BudgetExceededError) as raised:
        ledger.reserve(asked(f"over_{split}", amount=left + 1), budgets)
    assert raised.value.refusal.left_micro_usd == left
    ledger.reserve(asked(f"rest_{split}", amount=left), budgets)


def test_a_call_over_three_scopes_writes_nineteen_units(ledger_over: Over, asked: Asked, tenant: Tenant) -> None:
    """By AWS's rule: a transaction counts each item twice, the sparse index each entry made or removed once."""
    units: list[float] = []

    def metered(call: Call, request: dict[str, Any]) -> Any:
        answer = call(**request)
        consumed = answer["ConsumedCapacity"]
        units.append((consumed[0] if isinstance(consumed, list) else consumed)["CapacityUnits"])
        return answer

    ledger = ledger_over(metered)
    budgets = [budget_of(tenant, name) for name in ("", "user ada", "key k")]
    ledger.settle(in_flight(ledger, asked("first"), budgets), cost_micro_usd=1)
    units.clear()

    ledger.settle(in_flight(ledger, asked("second"), budgets), cost_micro_usd=1)

    assert units == [9, 1, 9]
