"""How the ledger's protocols are run: each transaction is put to the rows, and the protocol told what it met."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol, TypeVar
from uuid import uuid4

from plinth.access.log_lines import logger_of
from plinth.contracts.money import Budget, BudgetLeft, Reservation, ReservationState, StartedCall, Swept
from plinth.contracts.runs import Run
from plinth.contracts.shards import SHARDS
from plinth.errors import PlinthError, RecordUnreadableError
from plinth.money import budget_parts, budget_rows, ledger
from plinth.money.budget_rows import BudgetRow
from plinth.money.ledger_changes import Change, Condition, Met, Row, RowKey, RowsBusyError, Steps, Transaction
from plinth.ports.clock import Clock

Result = TypeVar("Result")

_CONFLICTS = 3  # after so many at once, a row is busy
_UNREADABLE_SECONDS = 300
_BUSY_SECONDS = 60.0  # how long a process pays from parts before it tries the whole again

CONFLICT_SECONDS = 10.0
"""How long a write waits for others that hold its rows: 200 callers at once of one budget need a quarter of it."""


class LedgerRows(Protocol):
    """Rows that change by conditional transactions."""

    def apply(self, transaction: Transaction, *, conflicts: int | None = None) -> Met:
        """Make all changes or none, and say what was met; `RowsBusyError` after as many conflicts, if it is said."""
        ...

    def get_many(self, keys: Iterable[RowKey]) -> dict[RowKey, Row]:
        """Return the rows that exist, as they are now."""
        ...

    def calls(self, pk: str) -> list[Row]:
        """Return the rows of a run's calls, in order, as they are now."""
        ...

    def lapsed(self, shard: str, *, now: float, limit: int) -> list[RowKey]:
        """Return keys of open reservations whose time is over."""
        ...


class LedgerOverRows:
    """`Ledger` over rows of any store."""

    def __init__(self, rows: LedgerRows, *, clock: Clock) -> None:
        self._rows = rows
        self._clock = clock
        self._busy: dict[RowKey, float] = {}

    def reserve(self, asked: Reservation, budgets: Sequence[Budget]) -> Reservation:
        """Set the amount aside in every budget or none; rows that are busy are split and left alone for a while."""
        now = self._clock.now()
        self._busy = {key: until for key, until in self._busy.items() if until > now}
        try:
            return self._perform(ledger.reserve(asked, budgets, busy=self._busy, now=now), conflicts=_CONFLICTS)
        except RowsBusyError as met:
            self._busy |= dict.fromkeys(met.keys, now + _BUSY_SECONDS)
        return self._perform(ledger.reserve(asked, budgets, busy=self._busy, now=now))

    def start(self, reservation: Reservation) -> bool:
        """Return whether this caller may make the call."""
        return self._perform(ledger.start(reservation, token=uuid4().hex, now=self._clock.now()))

    def settle(self, reservation: Reservation, *, cost_micro_usd: int) -> None:
        """Spend what a started call cost and give back the rest."""
        self._perform(ledger.settle(reservation, cost_micro_usd=cost_micro_usd, now=self._clock.now()))

    def release(self, reservation: Reservation) -> None:
        """Give back the amount of a reservation that was not started."""
        self._perform(ledger.release(reservation, now=self._clock.now()))

    def started(self, run: Run) -> list[StartedCall]:
        """Return the run's calls that were started."""
        calls = map(ledger.started_call, self._rows.calls(ledger.calls_key(run)))
        return [call for call in calls if call]

    def sweep(self, *, limit: int) -> Swept:
        """End at most `limit` lapsed reservations of each part of the index; one that can't be ended stops no other."""
        now = self._clock.now()
        found = [key for shard in SHARDS for key in self._rows.lapsed(shard, now=now, limit=limit)]
        ended = Counter(self._lapse(key, row, now) for key, row in self._rows.get_many(found).items())
        refunded, charged = ended[ReservationState.RELEASED], ended[ReservationState.CHARGED]
        return Swept(refunded=refunded, charged=charged, failed=ended[None])

    def left(self, budgets: Sequence[Budget]) -> list[BudgetLeft]:
        """Return how the budgets stand, in order; what moves between a split one's rows meanwhile may be missed."""
        day = budget_rows.utc_day(self._clock.now())
        found = self._rows.get_many(budget_rows.budget_key(budget.scope) for budget in budgets)
        rows = (found.get(budget_rows.budget_key(budget.scope)) for budget in budgets)
        return [
            budget_rows.left(budget, self._joined(budget, budget_rows.budget_row(row)) if row else None, day=day)
            for budget, row in zip(budgets, rows, strict=True)
        ]

    def _joined(self, budget: Budget, row: BudgetRow) -> BudgetRow:
        if not row.lent:
            return row
        parts = [budget_rows.budget_key(replace(budget.scope, part=part)) for part in budget_parts.PARTS]
        return budget_parts.joined(row, [budget_parts.part_row(each) for each in self._rows.get_many(parts).values()])

    def _lapse(self, key: RowKey, row: Row, now: float) -> ReservationState | None:
        try:
            ended = self._perform(ledger.lapse(ledger.reservation_of(row), now=now))
        except PlinthError as error:
            run_id = key[0].partition("#")[2]
            logger_of("SweepBudgets").warning("not ended", run_id=run_id, call=key[1], error=type(error).__name__)
            if isinstance(error, RecordUnreadableError):
                self._put_off(key, now)
            return None
        return None if ended is ReservationState.HELD else ended

    def _put_off(self, key: RowKey, now: float) -> None:
        """Let the sweep meet other reservations first for a while."""
        is_open = Condition(attribute="lapses_at", comparison=">", value=0)
        later = Change(key=key, where=(is_open,), put={"lapses_at": int(now) + _UNREADABLE_SECONDS})
        with suppress(PlinthError):
            self._rows.apply((later,))

    def _perform(self, steps: Steps[Result], *, conflicts: int | None = None) -> Result:
        try:
            transaction = next(steps)
            while True:
                transaction = steps.send(self._rows.apply(transaction, conflicts=conflicts))
        except StopIteration as finished:
            result: Result = finished.value
            return result
