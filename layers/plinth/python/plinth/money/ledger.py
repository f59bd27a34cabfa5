"""How money is set aside, fenced, settled and given back, so that no budget is overspent under any crash or order.

HELD -start-> INFLIGHT -settle-> SETTLED, or HELD -release-> RELEASED. What nobody ends in time, `lapse` ends: HELD is
released, INFLIGHT becomes CHARGED at the whole amount, since it may have been billed; a late bill makes that SETTLED.
Each arrow is one transaction over the reservation's row and those of its budgets, conditioned on the state, so that a
step that is repeated, cut off or raced does nothing twice. No clock and no read decides.

A budget's row rolls to a new day when a reservation meets it; a call that is held across midnight counts in the window
that the row is in when the call ends. Rows never roll back: under a slow clock they are spent from as they stand.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from zlib import crc32

import msgspec

from plinth.contracts.money import Budget, Reservation, ReservationState, StartedCall
from plinth.contracts.runs import ANSWERING, Run
from plinth.contracts.shards import shard_of
from plinth.contracts.tenant import Tenant
from plinth.errors import BudgetExceededError, ReservationStateError, StoreUnavailableError
from plinth.money import budget_parts, budget_rows
from plinth.money.budget_rows import BudgetRow, budget_row
from plinth.money.ledger_changes import ROUNDS, Change, Condition, Row, RowKey, Steps, Value, record_of

LAPSE_SECONDS = 60
"""How long after its execution's deadline a reservation is swept; the execution itself is over by then."""

_STARTED = frozenset({ReservationState.INFLIGHT, ReservationState.CHARGED, ReservationState.SETTLED})
_KEEP_SECONDS = 30 * 86_400  # an ended reservation is kept for late bills and audits; an open one never expires


class ReservationRow(msgspec.Struct, frozen=True):
    """A reservation as stored. `days` are the dates of its budgets' rows when it was charged."""

    tenant: str
    run_id: str
    epoch: int
    attempt: int
    deadline: int
    amount: int
    model: str
    price: str
    scopes: tuple[str, ...]
    state: ReservationState
    cost: int = 0
    started_by: str = ""
    days: tuple[str, ...] = ()
    step: str = ANSWERING


def reserve(
    asked: Reservation, budgets: Sequence[Budget], *, busy: Container[RowKey] = (), now: float
) -> Steps[Reservation]:
    """Set the amount aside in every limited budget at once; an earlier try's reservation is returned as it stands.

    A budget whose row is `busy` is paid from a part of it, as long as the whole has enough to lend. A refusal rests on
    rows that one transaction met together, as they stood at that moment.
    """
    limited = [budget for budget in budgets if budget.limited]
    paid = [_part(budget, asked.run) if budget_rows.budget_key(budget.scope) in busy else budget for budget in limited]
    amount, day = asked.amount_micro_usd, budget_rows.utc_day(now)
    for _ in range(ROUNDS):
        asked = replace(asked, scopes=tuple(budget.scope for budget in paid))
        met = yield (_opened(asked), *(budget_rows.hold(budget, amount, day) for budget in paid))
        if met is None:
            return asked
        if met[0] is not None:
            return reservation_of(met[0])
        day = max([day, *(str(old["day"]) for old in met[1:] if old)])
        rows = yield from _wholes(paid, limited, met[1:], amount, day)
        _refuse_short(rows, amount, day)
        for budget, row in rows:
            yield (budget_rows.renewed(row, budget, day) if row else budget_rows.first(budget, day),)
    raise StoreUnavailableError("the ledger's rows kept changing: try again later")


def start(reservation: Reservation, *, token: str, now: float) -> Steps[bool]:
    """Return whether this caller alone may make the call. `token` is its own, made for this one start.

    The token tells a caller whose first try was written, but not acknowledged, that it has won.
    """
    change = _moved(reservation, ReservationState.HELD, ReservationState.INFLIGHT, put={"started_by": token})
    in_time = Condition(attribute="lapses_at", comparison=">", value=int(now))
    met = yield (replace(change, where=(*change.where, in_time)),)
    return met is None or _row(met[0]).started_by == token


def settle(reservation: Reservation, *, cost_micro_usd: int, now: float) -> Steps[None]:
    """Spend what the started call cost and give the rest back; a settled reservation is left as it is.

    A cost above the amount is spent as it is: the bill is real, and only a wrong bound can make it so.
    """
    amount = reservation.amount_micro_usd
    put = {"cost": cost_micro_usd, **_ending(now)}
    change = _moved(reservation, ReservationState.INFLIGHT, ReservationState.SETTLED, put=put, drop=("open",))
    met = yield (change, *(budget_rows.spend(scope, amount, cost_micro_usd) for scope in reservation.scopes))
    if met is None:
        return
    row = _row(met[0])
    if row.state is ReservationState.CHARGED:
        yield from _settle_late(change, reservation, row.days, amount - cost_micro_usd)
    elif row.state is not ReservationState.SETTLED:
        raise ReservationStateError(f"a reservation that is {row.state} can't be settled: start it first")


def release(reservation: Reservation, *, now: float) -> Steps[None]:
    """Give the amount back of a reservation that was never started; a released one is left as it is."""
    change = _moved(reservation, ReservationState.HELD, ReservationState.RELEASED, put=_ending(now), drop=("open",))
    met = yield (change, *(budget_rows.spend(scope, reservation.amount_micro_usd, 0) for scope in reservation.scopes))
    if met is not None and (state := _row(met[0]).state) is not ReservationState.RELEASED:
        raise ReservationStateError(f"a reservation that is {state} can't be released: settle it")


def lapse(reservation: Reservation, *, now: float) -> Steps[ReservationState]:
    """End a reservation whose time is over, whatever its state is by now; return the state that it then has.

    Nothing is lost if it was early: a late start is refused, and a late bill corrects the charge.
    """
    try:
        yield from release(reservation, now=now)
    except ReservationStateError:
        return (yield from _charge(reservation, now=now))
    return ReservationState.RELEASED


def reservation_key(call: Reservation) -> RowKey:
    """Return the key of a call's reservation; a run's reservations stand together, those of one step in order."""
    run = call.run
    name = f"{call.attempt:02d}" if call.step == ANSWERING else f"{call.step}#{call.attempt:04d}"
    return calls_key(run), f"CALL#{run.epoch:06d}#{name}"


def reservation_of(stored: Row) -> Reservation:
    """Return a stored reservation."""
    row = record_of(stored, ReservationRow)
    tenant = Tenant(id=row.tenant)
    return Reservation(
        run=Run(id=row.run_id, tenant=tenant, epoch=row.epoch, deadline=row.deadline),
        attempt=row.attempt,
        amount_micro_usd=row.amount,
        model=row.model,
        price=row.price,
        scopes=tuple(budget_rows.scope_of(tenant, text) for text in row.scopes),
        state=row.state,
        step=row.step,
    )


def started_call(stored: Row) -> StartedCall | None:
    """Return what a stored reservation's call costs, or None where it was not started."""
    row = record_of(stored, ReservationRow)
    if row.state not in _STARTED:
        return None
    billed = row.state is ReservationState.SETTLED
    return StartedCall(
        model=row.model,
        cost_micro_usd=row.cost if billed else row.amount,
        bound_micro_usd=row.amount,
        price=row.price,
        billed=billed,
        step=row.step,
    )


def calls_key(run: Run) -> str:
    """Return the partition of a run's reservations."""
    return f"{run.tenant.id}#{run.id}"


def _part(budget: Budget, run: Run) -> Budget:
    """Return the part of a budget that the calls of a run are paid from."""
    number = budget_parts.PARTS[crc32(run.id.encode()) % len(budget_parts.PARTS)]
    return replace(budget, scope=replace(budget.scope, part=number))


def _wholes(
    paid: list[Budget], limited: Sequence[Budget], met: Sequence[Row | None], amount: int, day: str
) -> Steps[list[tuple[Budget, BudgetRow | None]]]:
    """Return the whole rows that refused a hold, with all that their parts can give them.

    A part that lacks the amount borrows it; one that can't is replaced in `paid` by its whole.
    """
    rows: list[tuple[Budget, BudgetRow | None]] = []
    for number, (budget, old) in enumerate(zip(limited, met, strict=True)):
        whole = old
        if old is not None and paid[number].scope.part:
            whole = yield from budget_parts.borrow(paid[number], old, amount, day)
        if whole is None:
            continue
        paid[number] = budget
        row = budget_row(whole) if whole else None
        if row and row.lent and (row.day < day or budget_rows.refusal(budget, row, amount)):
            row = yield from budget_parts.call_in(budget, row)
        rows.append((budget, row))
    return rows


def _charge(reservation: Reservation, *, now: float) -> Steps[ReservationState]:
    """Spend the whole amount of a started call, and note in which day each budget did."""
    amount = reservation.amount_micro_usd
    days = [budget_rows.utc_day(now)] * len(reservation.scopes)
    parts = [budget_rows.leave(scope, amount) for scope in reservation.scopes if scope.part]
    for _ in range(ROUNDS):
        put = {"days": list(days), **_ending(now)}
        change = _moved(reservation, ReservationState.INFLIGHT, ReservationState.CHARGED, put=put, drop=("open",))
        spends = (budget_rows.spend_on(scope, amount, day) for scope, day in zip(reservation.scopes, days, strict=True))
        met = yield (change, *spends, *parts)
        if met is None:
            return ReservationState.CHARGED
        if met[0] is not None:
            return _row(met[0]).state
        days = _learned(days, met)
    raise StoreUnavailableError("the ledger's rows kept changing: try again later")


def _settle_late(settled: Change, reservation: Reservation, charged: Sequence[str], difference: int) -> Steps[None]:
    """Give back, once, what was charged too much; a window that is over since then keeps it."""
    where = (Condition(attribute="state", comparison="=", value=ReservationState.CHARGED.value),)
    change = replace(settled, where=where)
    days = list(charged)
    for _ in range(ROUNDS):
        refunds = [
            budget_rows.refund(scope, difference, spent_on=spent_on, day=day)
            for scope, spent_on, day in zip(reservation.scopes, charged, days, strict=True)
        ]
        met = yield (change, *refunds)
        if met is None or met[0] is not None:
            return
        days = _learned(days, met)
    raise StoreUnavailableError("the ledger's rows kept changing: try again later")


def _learned(days: Sequence[str], met: Sequence[Row | None]) -> list[str]:
    """Return the days at which the budgets' rows really stand: they follow the reservation's, and parts follow them."""
    if {} in met:
        raise _gone()
    return [budget_row(old).day if old else day for day, old in zip(days, met[1 : len(days) + 1], strict=True)]


def _refuse_short(rows: Sequence[tuple[Budget, BudgetRow | None]], amount: int, day: str) -> None:
    """Raise the refusal that lasts longest, if any row that is up to date lacks the amount."""
    current = [(budget, row) for budget, row in rows if row and budget_rows.is_current(row, budget, day)]
    refusals = [found for budget, row in current if (found := budget_rows.refusal(budget, row, amount))]
    if refusals:
        raise BudgetExceededError(max(refusals, key=lambda each: (each.resets_at, -each.left_micro_usd)))


def _opened(asked: Reservation) -> Change:
    run = asked.run
    put: dict[str, Value] = {
        "tenant": run.tenant.id,
        "run_id": run.id,
        "epoch": run.epoch,
        "step": asked.step,
        "attempt": asked.attempt,
        "deadline": int(run.until),
        "amount": asked.amount_micro_usd,
        "model": asked.model,
        "price": asked.price,
        "scopes": [budget_rows.scope_text(scope) for scope in asked.scopes],
        "state": ReservationState.HELD.value,
        "open": shard_of(run.id),
        "lapses_at": int(run.until) + LAPSE_SECONDS,
    }
    return Change(key=reservation_key(asked), where=(Condition(attribute="state", comparison="absent"),), put=put)


def _moved(
    reservation: Reservation,
    before: ReservationState,
    after: ReservationState,
    *,
    put: Mapping[str, Value],
    drop: tuple[str, ...] = (),
) -> Change:
    return Change(
        key=reservation_key(reservation),
        where=(Condition(attribute="state", comparison="=", value=before.value),),
        put={"state": after.value, **put},
        drop=drop,
    )


def _ending(now: float) -> dict[str, Value]:
    return {"expires_at": int(now) + _KEEP_SECONDS}


def _row(old: Row | None) -> ReservationRow:
    """Return the reservation's row that failed a transaction; if none did, a budget's row was not there."""
    if not old:
        raise _gone()
    return record_of(old, ReservationRow)


def _gone() -> ReservationStateError:
    return ReservationStateError("the reservation or one of its budgets is gone: nothing was changed")
