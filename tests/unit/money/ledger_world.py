"""A world in which the ledger's protocols run one transaction at a time, under faults, and are judged after each."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast

from plinth.contracts.money import Budget, Reservation, Scope, ScopeKind
from plinth.contracts.runs import Run
from plinth.contracts.shards import SHARDS
from plinth.contracts.tenant import Tenant
from plinth.errors import BudgetExceededError, ReservationStateError, StoreUnavailableError
from plinth.money.budget_parts import PARTS
from plinth.money.budget_rows import budget_key, scope_of, whole
from plinth.money.ledger_changes import Met, RowKey, Steps, Transaction
from tests.fakes.ledger_rows import FakeLedgerRows

Result = TypeVar("Result")
Fault = Literal["before", "after", "twice", "unanswered"]
FAULTS: tuple[Fault, ...] = ("before", "after", "twice", "unanswered")
"""The process dies before or after the write; the write arrives twice; the answer never comes and the step repeats."""

NOON = 1_801_396_800.0  # 2027-01-31 12:00 UTC: the next midnight ends the month as well
DAY = 86_400
LIFE = 270
LAPSE = LIFE + 60
TENANT = Tenant(id="acme")
OPEN_STATES = ("held", "inflight")


class CrashError(Exception):
    """The process died."""


@dataclass
class World:
    """The rows, the clock, and the provider, who bills. `ledger` is the module of protocols, or a mutant of it.

    The budgets whose rows are `busy` are split.
    """

    ledger: Any
    rows: FakeLedgerRows = field(default_factory=FakeLedgerRows)
    now: float = NOON
    fault: tuple[int, Fault] | None = None
    pause: tuple[int, float] | None = None
    busy: frozenset[RowKey] = frozenset()
    limits_fell: bool = False
    writes: int = 0
    calls: Counter[str] = field(default_factory=Counter[str])
    bills: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    spent: dict[tuple[str, str, str], int] = field(default_factory=dict[tuple[str, str, str], int])

    def perform(self, steps: Steps[Result]) -> Result:
        """Run a protocol alone."""
        return self.drive(steps, self.apply)

    def drive(self, steps: Steps[Result], apply: Callable[[Transaction], Met]) -> Result:
        try:
            transaction = next(steps)
            while True:
                transaction = steps.send(apply(transaction))
        except StopIteration as finished:
            return cast("Result", finished.value)

    def apply(self, transaction: Transaction) -> Met:
        """Make the transaction as a store does that fails once, at the planned write."""
        number, self.writes = self.writes, self.writes + 1
        if self.pause and self.pause[0] == number:
            self.now += self.pause[1]
        fault = self.fault[1] if self.fault and self.fault[0] == number else None
        if fault == "before":
            raise CrashError
        met = self.write(transaction)
        if fault == "after":
            raise CrashError
        if fault == "unanswered":
            raise StoreUnavailableError("no answer")
        return self.write(transaction) if fault == "twice" else met

    def write(self, transaction: Transaction) -> Met:
        met = self.rows.apply(transaction)
        self.judge()
        return met

    def bill(self, reservation: Reservation, cost: int) -> None:
        """Call the model: only this costs money."""
        self.calls[f"{reservation.run.id} {reservation.attempt}"] += 1
        for scope in reservation.scopes:
            self.bills[budget_key(whole(scope))] += cost
        self.judge()

    def judge(self) -> None:
        """Hold every invariant of the ledger, as they must be true after every single write."""
        assert all(count == 1 for count in self.calls.values()), f"called twice: {self.calls}"
        for key, row in self.budgets():
            parts = self.parts(key)
            for number, part in parts.items():
                held = self.held(key, number)
                assert part["held"] == held, f"{key} {number}: {part['held']} held of {held}"
                assert part["avail"] >= 0, f"{key} {number} overspent: {part}"
                assert part["spent"] >= 0, f"{key} {number}: {part}"
            lent = sum(part["avail"] + part["held"] + part["spent"] for part in parts.values())
            assert row["lent"] == lent, f"{key}: {row['lent']} lent of {lent}"
            held = self.held(key, 0) + lent
            assert row["held"] == held, f"{key}: {row['held']} held of {held}"
            for window, period in (("day", row["day"]), ("month", row["day"][:7])):
                limit, avail, spent = (row[f"{window}_{name}"] for name in ("limit", "avail", "spent"))
                assert avail + held + spent == limit, f"{key} {window}: {row}"
                assert avail >= 0 or self.limits_fell, f"{key} {window} overspent: {row}"
                assert spent >= 0, f"{key} {window}: {row}"
                self.spent[key[1], window, period] = spent
                assert self.bills[key] <= self.total(key[1], window) + held, f"{key} {window}: unpaid bill"

    def total(self, scope: str, window: str) -> int:
        """Return all that was ever spent, over the windows that are over."""
        return sum(spent for (name, kind, _), spent in self.spent.items() if (name, kind) == (scope, window))

    def budgets(self) -> Iterator[tuple[RowKey, dict[str, Any]]]:
        return ((key, row) for key, row in self.rows.rows.items() if key[0].endswith("#BUDGET"))

    def parts(self, key: RowKey) -> dict[int, dict[str, Any]]:
        """Return the parts that a budget was split into, by their number."""
        rows = ((number, self.rows.rows.get((f"{key[0]}/{number}", key[1]))) for number in PARTS)
        return {number: row for number, row in rows if row}

    def reservations(self) -> Iterator[dict[str, Any]]:
        return (row for key, row in self.rows.rows.items() if "#BUDGET" not in key[0])

    def held(self, key: RowKey, part: int) -> int:
        """Return what open reservations hold of a budget's whole (part 0) or of a part of it."""
        paid = (
            (each["amount"], scope_of(TENANT, text))
            for each in self.reservations()
            if each["state"] in OPEN_STATES
            for text in each["scopes"]
        )
        return sum(amount for amount, scope in paid if scope.part == part and budget_key(whole(scope)) == key)

    def sweep(self) -> None:
        """End everything whose time is over, without faults."""
        self.fault = self.pause = None
        for shard in SHARDS:
            for row in self.rows.get_many(self.rows.lapsed(shard, now=self.now, limit=100)).values():
                self.perform(self.ledger.lapse(self.ledger.reservation_of(row), now=self.now))

    def end(self) -> None:
        """Let all time run out, wherever the clock stood, sweep, and hold what must be true at rest."""
        self.now = max([self.now, *(row["lapses_at"] for row in self.reservations())]) + 1
        self.sweep()
        assert not any(row["state"] in OPEN_STATES or "open" in row for row in self.reservations())
        for key, row in self.budgets():
            parts = self.parts(key).values()
            assert row["held"] == row["lent"]
            assert not any(part["held"] for part in parts)
            most = sum(_most(each) for each in self.reservations() if _pays(each, key))
            untold = sum(part["spent"] for part in parts)
            for window in ("day", "month"):
                assert self.bills[key] <= self.total(key[1], window) + untold <= most, (
                    f"{key} {window} was charged too much"
                )


def _most(row: dict[str, Any]) -> int:
    """Return the most that a reservation may have been charged: more than its bill only if the sweep came first."""
    if row["state"] == "released":
        return 0
    amount: int = row["amount"]
    cost: int = row.get("cost", amount)
    return amount if row.get("days") else cost if row["state"] == "settled" else amount


def _pays(row: dict[str, Any], key: RowKey) -> bool:
    scopes = (scope_of(TENANT, text) for text in row["scopes"])
    return any(budget_key(whole(scope)) == key for scope in scopes)


def budget(name: str = "", *, day: int | None = 1000, month: int | None = 5000, revision: int = 1) -> Budget:
    kind, _, called = name.partition(" ")
    scope = Scope(tenant=TENANT, kind=ScopeKind(kind or "tenant"), name=called)
    return Budget(scope=scope, revision=revision, day_micro_usd=day, month_micro_usd=month)


def asked(run_id: str = "run_1", *, amount: int = 100, at: float = NOON) -> Reservation:
    run = Run(id=run_id, tenant=TENANT, epoch=1, deadline=at + LIFE)
    return Reservation(run=run, attempt=1, amount_micro_usd=amount, model="small", price="{}")


Actor = Generator[Transaction, Met, None]


def call(world: World, what: Reservation, budgets: Sequence[Budget], *, cost: int, name: str) -> Actor:
    """Make one model call from reserve to settle, as the step does; `name` is the process."""
    try:
        reservation = yield from world.ledger.reserve(what, budgets, busy=world.busy, now=world.now)
    except BudgetExceededError:
        return
    if (yield from world.ledger.start(reservation, token=name, now=world.now)):
        world.bill(reservation, cost)
        yield from world.ledger.settle(reservation, cost_micro_usd=cost, now=world.now)


def tolerant(steps: Steps[Any]) -> Actor:
    """Run a protocol whose refusal is as good as its success."""
    try:
        yield from steps
    except (BudgetExceededError, ReservationStateError):
        return
