"""Wrong ledgers: one line changed each, so that the tests can be tested. `old` must stand in the file exactly once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from plinth import money

ROWS, PARTS, LEDGER = "budget_rows", "budget_parts", "ledger"


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
    """Return the modules of rows and of protocols, over rows, parts and protocols of which one is changed."""
    spec = find_spec(f"plinth.money.{mutant.module}")
    assert spec
    assert spec.origin
    text = Path(spec.origin).read_text("utf-8")
    assert text.count(mutant.old) == 1, f"{mutant.what}: {text.count(mutant.old)} places"
    changed = text.replace(mutant.old, mutant.new)
    rows = module_of(ROWS, changed if mutant.module == ROWS else None)
    with _standing_for(ROWS, rows):
        parts = module_of(PARTS, changed if mutant.module == PARTS else None)
        with _standing_for(PARTS, parts):
            return rows, module_of(LEDGER, changed if mutant.module == LEDGER else None)


@contextmanager
def _standing_for(name: str, module: ModuleType) -> Iterator[None]:
    with patch.object(money, name, module), patch.dict("sys.modules", {f"plinth.money.{name}": module}):
        yield


def _dropped(what: str, module: str, old: str) -> Mutant:
    return Mutant(f"without {what}", module, old, "")


def _state(name: str) -> str:
    return f"ReservationState.{name}"


MUTANTS = (
    _dropped("the limits", ROWS, ", *enough"),
    Mutant("without the month's limit", ROWS, "for name in available)", "for name in available[:1])"),
    Mutant("without the day's limit", ROWS, "for name in available)", "for name in available[-1:])"),
    Mutant("holding on any day", ROWS, 'where=(equals("day", day), at_least', "where=(at_least"),
    _dropped("the condition on the revision", ROWS, ' at_least("revision", budget.revision),'),
    _dropped("holding", ROWS, '"held": amount, '),
    Mutant("without taking from the day", ROWS, "fromkeys(available, -amount)", "fromkeys(available[-1:], -amount)"),
    Mutant("without taking from the month", ROWS, "fromkeys(available, -amount)", "fromkeys(available[:1], -amount)"),
    Mutant("holding backwards", ROWS, '"held": amount, ', '"held": -amount, '),
    Mutant("giving nothing back", ROWS, 'avail": amount - cost', 'avail": 0'),
    Mutant("giving everything back", ROWS, 'avail": amount - cost', 'avail": amount'),
    Mutant("giving more back", ROWS, 'avail": amount - cost', 'avail": amount + cost'),
    Mutant("without letting go of what was held", ROWS, 'add = {"held": -amount}', 'add = {"held": 0}'),
    Mutant("without spending", ROWS, 'spent": cost', 'spent": 0'),
    Mutant("without spending of the month", ROWS, "in _windows(scope):", "in _windows(scope)[:1]:"),
    Mutant(
        "without the budget's being there", ROWS, 'where=(at_least("held", amount),), add=add)', "where=(), add=add)"
    ),
    Mutant("a part left with what was charged", LEDGER, "(change, *spends, *parts)", "(change, *spends)"),
    Mutant("a charge that stays lent", ROWS, '"lent": -amount if scope.part else 0', '"lent": 0'),
    Mutant("never calling in", LEDGER, "if row and row.lent and (", "if False and ("),
    Mutant("calling in only at the limit", LEDGER, "(row.day < day or budget_rows", "(budget_rows"),
    Mutant(
        "calling in only at midnight",
        LEDGER,
        "(row.day < day or budget_rows.refusal(budget, row, amount))",
        "row.day < day",
    ),
    _dropped("plenty, when lending", PARTS, ", *plenty"),
    _dropped("the day, when lending", PARTS, 'equals("day", day), '),
    _dropped("the limits' revision, when lending", PARTS, 'at_least("revision", part.revision), '),
    Mutant("lending what the whole keeps", PARTS, "-_LOT * amount, told", "0, told"),
    Mutant("telling nothing", PARTS, "told = row.spent if row else 0", "told = 0"),
    Mutant("telling and keeping", PARTS, '"spent": -row.spent', '"spent": 0'),
    Mutant("calling in what stays lent", PARTS, '"lent": -free - spent}', '"lent": 0}'),
    Mutant("calling in half", PARTS, 'f"{window}_avail": free', 'f"{window}_avail": free // 2'),
    Mutant("calling in what is being held", PARTS, 'equals("avail", free), ', ""),
    Mutant("calling in what is not spent", PARTS, ', equals("spent", spent))', ",)"),
    Mutant(
        "refusing by the whole as it was",
        PARTS,
        "            return _returned(row, free, spent)",
        "            return row",
    ),
    Mutant("charging on any day", ROWS, '(*spent.where, equals("day", day))', "spent.where"),
    Mutant("refunding on any day", ROWS, 'where=(equals("day", day),), add=add', "where=(), add=add"),
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
    Mutant("rolling twice", ROWS, 'where = [equals("day", row.day), ', "where = ["),
    _dropped(
        "the race with a settlement, when rolling",
        ROWS,
        '            where.append(equals(f"{window}_spent", row.spent(window)))\n',
    ),
    Mutant("rolling back", ROWS, '{"day": max(day, row.day)}', '{"day": min(day, row.day)}'),
    Mutant("old limits that return", ROWS, "if row.revision < budget.revision:", "if row.revision != budget.revision:"),
    Mutant("new limits that change nothing", ROWS, "gained += limit_of(budget, window) - row.limit(window)", "pass"),
    Mutant("new limits set twice", ROWS, ', equals("revision", row.revision)]', "]"),
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
        "scopes forgotten", LEDGER, "replace(asked, scopes=tuple(budget.scope for budget in paid))", "replace(asked)"
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
    Mutant("the slow clock's day", LEDGER, 'day = max([day, *(str(old["day"]) for old in met[1:] if old)])', "pass"),
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
        '"lapses_at": int(run.until) + LAPSE_SECONDS',
        '"lapses_at": int(run.until) - LAPSE_SECONDS',
    ),
    Mutant(
        "reservations that no sweep finds",
        LEDGER,
        '        "open": shard_of(run.id),\n',
        "",
    ),
    Mutant("one reservation for all attempts", LEDGER, '#{name}"', '"'),
    Mutant("one reservation for all epochs", LEDGER, "CALL#{run.epoch:06d}#", "CALL#"),
)
