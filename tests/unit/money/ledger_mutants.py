"""Wrong ledgers: one line changed each, so that the tests can be tested. `old` must stand in the file exactly once."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from plinth import money

ROWS, LEDGER = "budget_rows", "ledger"


@dataclass(frozen=True)
class Mutant:
    """A line of a module of plinth.money, and what is put in its place."""

    what: str
    module: str
    old: str
    new: str


def module_of(name: str, text: str | None = None) -> ModuleType:
    """Return the module afresh, or made of another text."""
    spec = find_spec(f"plinth.money.{name}")
    assert spec
    assert spec.origin
    made = ModuleType(spec.name)
    exec(compile(text or Path(spec.origin).read_text("utf-8"), spec.origin, "exec"), made.__dict__)  # noqa: S102
    return made


def mutated(mutant: Mutant) -> tuple[ModuleType, ModuleType]:
    """Return the modules of rows and of protocols, one of them changed, the second over the first."""
    spec = find_spec(f"plinth.money.{mutant.module}")
    assert spec
    assert spec.origin
    text = Path(spec.origin).read_text("utf-8")
    assert text.count(mutant.old) == 1, f"{mutant.what}: {text.count(mutant.old)} places"
    changed = text.replace(mutant.old, mutant.new)
    rows = module_of(ROWS, changed if mutant.module == ROWS else None)
    with patch.object(money, "budget_rows", rows), patch.dict("sys.modules", {"plinth.money.budget_rows": rows}):
        return rows, module_of(LEDGER, changed if mutant.module == LEDGER else None)


def _dropped(what: str, module: str, old: str) -> Mutant:
    return Mutant(f"without {what}", module, old, "")


def _state(name: str) -> str:
    return f"ReservationState.{name}"


MUTANTS = (
    _dropped("the day's limit", ROWS, '            _at_least("day_avail", amount),\n'),
    _dropped("the month's limit", ROWS, '            _at_least("month_avail", amount),\n'),
    _dropped("the condition on the day", ROWS, '            _equals("day", day),\n'),
    _dropped("the condition on the revision", ROWS, '            _at_least("revision", budget.revision),\n'),
    _dropped("holding", ROWS, '"held": amount, '),
    _dropped("taking from the day", ROWS, '"day_avail": -amount, '),
    _dropped("taking from the month", ROWS, ', "month_avail": -amount'),
    Mutant("holding backwards", ROWS, '"held": amount, ', '"held": -amount, '),
    Mutant("giving nothing back", ROWS, "unspent = amount - cost", "unspent = 0"),
    Mutant("giving everything back", ROWS, "unspent = amount - cost", "unspent = amount"),
    Mutant("giving more back", ROWS, "unspent = amount - cost", "unspent = amount + cost"),
    _dropped("letting go of what was held", ROWS, '            "held": -amount,\n'),
    _dropped("spending of the day", ROWS, '            "day_spent": cost,\n'),
    _dropped("spending of the month", ROWS, '            "month_spent": cost,\n'),
    _dropped("the budget's being there", ROWS, '_at_least("held", amount),'),
    Mutant("charging on any day", ROWS, '(*spent.where, _equals("day", day))', "spent.where"),
    Mutant("refunding on any day", ROWS, 'where=(_equals("day", day),), add=add', "where=(), add=add"),
    Mutant(
        "refunding what another day spent", ROWS, "if _period(window, spent_on) == _period(window, day):", "if day:"
    ),
    Mutant(
        "refunding backwards", ROWS, '": -amount, f"{window}_avail": amount', '": amount, f"{window}_avail": -amount'
    ),
    Mutant("rolling on any row", ROWS, "_period(window, row.day) < _period(window, day):", "True:"),
    Mutant("never rolling", ROWS, "_period(window, row.day) < _period(window, day):", "False:"),
    _dropped("what was spent, when rolling", ROWS, "            gained += row.spent(window)\n"),
    _dropped("the zero, when rolling", ROWS, '            put[f"{window}_spent"] = 0\n'),
    Mutant("rolling twice", ROWS, 'where = [_equals("day", row.day), ', "where = ["),
    _dropped(
        "the race with a settlement, when rolling",
        ROWS,
        '            where.append(_equals(f"{window}_spent", row.spent(window)))\n',
    ),
    Mutant("rolling back", ROWS, '{"day": max(day, row.day)}', '{"day": min(day, row.day)}'),
    Mutant("old limits that return", ROWS, "if row.revision < budget.revision:", "if row.revision != budget.revision:"),
    Mutant("new limits that change nothing", ROWS, "gained += limit_of(budget, window) - row.limit(window)", "pass"),
    Mutant("new limits set twice", ROWS, ', _equals("revision", row.revision)]', "]"),
    Mutant(
        "making a row over another",
        ROWS,
        'where=(Condition(attribute="day", comparison="absent"),), put',
        "where=(), put",
    ),
    Mutant("no limit", ROWS, "return UNLIMITED_MICRO_USD if limit is None else limit", "return UNLIMITED_MICRO_USD"),
    Mutant("the day told before the month", ROWS, "(Window.MONTH, Window.DAY)", "(Window.DAY, Window.MONTH)"),
    Mutant("a reset a day late", ROWS, "timedelta(days=1)", "timedelta(days=2)"),
    Mutant(
        "a missing scope",
        LEDGER,
        "[budget for budget in budgets if budget.limited]",
        "[each for each in budgets if each.limited][:2]",
    ),
    Mutant("unlimited scopes kept", LEDGER, "if budget.limited]", "]"),
    Mutant(
        "scopes forgotten", LEDGER, "replace(asked, scopes=tuple(budget.scope for budget in limited))", "replace(asked)"
    ),
    Mutant("a second reservation", LEDGER, 'where=(Condition(attribute="state", comparison="absent"),)', "where=()"),
    Mutant(
        "no look at the earlier try",
        LEDGER,
        "if met[0] is not None:\n            return reservation_of(met[0])",
        "if False: return asked",
    ),
    Mutant("refusing by old rows", LEDGER, "if row and budget_rows.is_current(row, budget, day)]", "if row]"),
    Mutant("never refusing", LEDGER, "    if refusals:\n", "    if False:\n"),
    Mutant("the least refusal", LEDGER, "max(refusals, key", "min(refusals, key"),
    Mutant("the slow clock's day", LEDGER, "day = max([day, *(row.day for _, row in rows if row)])", "pass"),
    Mutant("no fence", LEDGER, 'where=(Condition(attribute="state", comparison="=", value=before.value),)', "where=()"),
    Mutant("a start that is late", LEDGER, "where=(*change.where, in_time)", "where=change.where"),
    Mutant("a start that all win", LEDGER, "_row(met[0]).started_by == token", "_row(met[0]).started_by"),
    Mutant(
        "a start that a lost answer loses",
        LEDGER,
        "return met is None or _row(met[0]).started_by == token",
        "return met is None",
    ),
    Mutant(
        "settling what was not started",
        LEDGER,
        _state("INFLIGHT") + ", ReservationState.SETTLED, put=put, drop",
        _state("HELD") + ", ReservationState.SETTLED, put=put, drop",
    ),
    Mutant("no late bill", LEDGER, "    if row.state is ReservationState.CHARGED:\n", "    if False:\n"),
    Mutant("a late bill of the whole", LEDGER, "row.days, amount - cost_micro_usd)", "row.days, amount)"),
    Mutant(
        "a late bill that leaves it charged",
        LEDGER,
        "change = replace(settled, where=where)",
        "change = replace(settled, where=where, put={})",
    ),
    Mutant(
        "a settlement of half the scopes",
        LEDGER,
        "scope, amount, cost_micro_usd) for scope in reservation.scopes)",
        "scope, amount, cost_micro_usd) for scope in reservation.scopes[:1])",
    ),
    Mutant(
        "a release of half the scopes",
        LEDGER,
        "amount_micro_usd, 0) for scope in reservation.scopes)",
        "amount_micro_usd, 0) for scope in reservation.scopes[:1])",
    ),
    Mutant("a release that spends", LEDGER, "reservation.amount_micro_usd, 0)", "reservation.amount_micro_usd, 1)"),
    Mutant(
        "releasing what was started",
        LEDGER,
        _state("HELD") + ", ReservationState.RELEASED",
        _state("INFLIGHT") + ", ReservationState.RELEASED",
    ),
    Mutant(
        "a sweep that charges nobody",
        LEDGER,
        "return (yield from _charge(reservation, now=now))",
        "return ReservationState.HELD",
    ),
    Mutant("a charge that forgets its days", LEDGER, '{"days": list(days), **_ending(now)}', "_ending(now)"),
    Mutant(
        "a sweep of what is not over",
        LEDGER,
        '"lapses_at": int(run.deadline) + LAPSE_SECONDS',
        '"lapses_at": int(run.deadline) - LAPSE_SECONDS',
    ),
    Mutant(
        "reservations that no sweep finds",
        LEDGER,
        '        "open": shard_of(run.id),\n',
        "",
    ),
    Mutant("one reservation for all attempts", LEDGER, '#{attempt:02d}"', '"'),
    Mutant("one reservation for all epochs", LEDGER, "CALL#{run.epoch:06d}#", "CALL#"),
)
