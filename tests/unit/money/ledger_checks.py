"""What every ledger must hold under each crash and in each order: exhaustive, and fast enough to judge mutants by."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import pytest

from plinth.errors import BudgetExceededError, ReservationStateError, StoreUnavailableError
from plinth.money import budget_rows
from plinth.money.budget_rows import budget_key
from plinth.money.ledger_changes import Met
from tests.unit.money.ledger_world import (
    DAY,
    FAULTS,
    LAPSE,
    Actor,
    CrashError,
    World,
    asked,
    budget,
    call,
    tolerant,
)

SCOPES = (("",), ("", "user ada", "key k"))
ENOUGH = 13_500  # what a budget must have to lend to a part that pays calls of 100
MUCH = 20_000  # enough for several parts
BUSY = frozenset({budget_key(budget().scope)})
PAUSES = (0.0, DAY / 2, LAPSE, 31 * DAY)
MOST_WRITES = 10


def crash_matrix(ledger: Any) -> int:
    """Fail one write of a call in each way, at each time; repeat the step or not; sweep. Return how many were run."""
    runs = 0
    for scopes, fault, pause, again in product(SCOPES, FAULTS, PAUSES, (False, True)):
        for split, at in product((False, True), range(MOST_WRITES)):
            world = World(ledger)
            budgets = [budget(name) for name in scopes]
            if split:
                budgets[0] = budget(day=ENOUGH, month=2 * ENOUGH)
                _split(world, budgets)
            planned = world.writes + at
            world.fault, world.pause = (planned, fault), (planned, pause)
            _attempt(world, budgets, "first")
            if again:
                _attempt(world, budgets, "second")
            if world.writes <= planned:
                continue
            _call_tomorrow(world, budgets)
            world.end()
            runs += 1
    return runs


def _split(world: World, budgets: Sequence[Any]) -> None:
    """Make the rows, of which the first is busy from now on; its part has yet to borrow."""
    world.perform(world.ledger.reserve(asked("none", amount=0), budgets, now=world.now))
    world.busy = BUSY


def all_is_called_in(ledger: Any) -> None:
    """Spend a split budget to the last micro-dollar, through parts and whole, with calls open in parts."""
    world = World(ledger)
    limit = budget(day=MUCH, month=2 * MUCH)
    _split(world, [limit])
    opened = [world.perform(ledger.reserve(asked(f"run_{n}"), [limit], busy=BUSY, now=world.now)) for n in range(20)]
    assert len({each.scopes for each in opened}) > 2
    for each in opened[::2]:
        world.perform(ledger.start(each, token="me", now=world.now))
        world.bill(each, 40)
        world.perform(ledger.settle(each, cost_micro_usd=40, now=world.now))
    left = MUCH - 10 * 40 - 10 * 100
    with pytest.raises(BudgetExceededError) as raised:
        world.perform(ledger.reserve(asked("too much", amount=left + 1), [limit], busy=BUSY, now=world.now))
    assert raised.value.refusal.left_micro_usd == left
    world.perform(ledger.reserve(asked("the rest", amount=left), [limit], busy=BUSY, now=world.now))
    assert not any(part["avail"] for part in world.parts(budget_key(limit.scope)).values())
    world.end()


def a_part_follows_its_whole(ledger: Any) -> None:
    """Lower a split budget's limit, and let its day end: no part lends under the old limit or from the old day."""
    world = World(ledger)
    limit, lower = budget(day=MUCH, month=2 * MUCH), budget(day=300, month=2 * MUCH, revision=2)
    world.limits_fell = True
    _split(world, [limit])
    for number in range(3):
        world.drive(call(world, asked(f"run_{number}"), [limit], cost=100, name="me"), world.apply)
    with pytest.raises(BudgetExceededError) as raised:
        world.perform(ledger.reserve(asked("run_0b"), [lower], busy=BUSY, now=world.now))
    assert (raised.value.refusal.limit_micro_usd, raised.value.refusal.left_micro_usd) == (300, 0)
    world.now += DAY / 2
    (whole,) = (row for _, row in world.budgets())
    world.perform(ledger.reserve(asked("tomorrow", at=world.now), [lower], busy=BUSY, now=world.now))
    assert (whole["day_spent"], whole["held"]) == (0, 100), whole
    world.end()


def yesterday_stays_with_yesterday(ledger: Any) -> None:
    """End the day of a split budget: what its parts spent counts in the day that is over."""
    world = World(ledger)
    limit = budget(day=MUCH, month=None)
    _split(world, [limit])
    for number in range(3):
        world.drive(call(world, asked(f"run_{number}"), [limit], cost=100, name="me"), world.apply)
    _to_the_next_day(world, limit)
    world = World(ledger)
    _used_up(world)
    _to_the_next_day(world, budget(day=ENOUGH, month=2 * ENOUGH))


def _to_the_next_day(world: World, limit: Any) -> None:
    world.now += DAY / 2
    world.perform(world.ledger.reserve(asked("tomorrow", at=world.now), [limit], busy=BUSY, now=world.now))
    ((key, whole),) = world.budgets()
    assert (whole["day"], whole["day_spent"]) == (budget_rows.utc_day(world.now), 0), whole
    assert not any(part["spent"] for part in world.parts(key).values())
    world.end()


def a_part_tells_what_it_spent(ledger: Any) -> None:
    """Use up what one part was lent, so that it must borrow again."""
    world = World(ledger)
    limit = budget(day=MUCH, month=2 * MUCH)
    _split(world, [limit])
    for attempt in range(1, 18):
        world.drive(call(world, replace(asked(), attempt=attempt), [limit], cost=100, name="me"), world.apply)
    ((key, whole),) = world.budgets()
    (part,) = world.parts(key).values()
    assert (whole["day_spent"], part["spent"]) == (1600, 100), (whole, part)
    world.end()


def _attempt(world: World, budgets: Sequence[Any], name: str) -> None:
    try:
        world.drive(call(world, asked(), budgets, cost=30, name=name), world.apply)
    except StoreUnavailableError:
        world.drive(call(world, asked(), budgets, cost=30, name=f"{name} again"), world.apply)
    except CrashError:
        return


def _call_tomorrow(world: World, budgets: Sequence[Any]) -> None:
    """Use the budgets to the full: what was lost or doubled shows."""
    world.sweep()
    for number in range(9):
        what = asked(f"later_{number}", amount=120, at=world.now)
        world.drive(call(world, what, budgets, cost=120, name="later"), world.apply)


def without_a_budget(ledger: Any) -> None:
    """End a call whose budget was erased: nothing is changed, and the caller is told so."""
    for end in ("settle", "release", "lapse"):
        world = World(ledger)
        what = world.perform(ledger.reserve(asked(), [budget(), budget("user ada")], now=world.now))
        if end != "release":
            world.perform(ledger.start(what, token="me", now=world.now))
        del world.rows.rows[budget_key(budget("user ada").scope)]
        before = {key: dict(row) for key, row in world.rows.rows.items()}
        options = {"cost_micro_usd": 30} if end == "settle" else {}
        try:
            world.perform(getattr(ledger, end)(what, now=world.now, **options))
        except ReservationStateError:
            assert world.rows.rows == before
        else:
            raise AssertionError(f"{end} went on without a budget")


def interleavings(ledger: Any) -> int:
    """Play every order of two or three processes, at noon and with midnight in between. Return how many were played."""
    runs = 0
    for (prepare, makers), midnight in product(_CASTS, (None, 1, 3, 5)):
        lengths = [_length(ledger, prepare, maker) for maker in makers]
        for order in _orders(lengths):
            world = World(ledger)
            prepare(world)
            _play(world, [maker(world) for maker in makers], order, midnight)
            world.end()
            runs += 1
    return runs


Maker = Callable[[World], Actor]
_SMALL = (budget(day=250), budget("user ada", day=150))
_HELD = replace(asked(), scopes=tuple(each.scope for each in _SMALL))
_YESTERDAY = replace(asked("yesterday"), scopes=(budget().scope,))


def _calls(name: str, run_id: str = "run_1") -> Maker:
    return lambda world: call(world, asked(run_id), _SMALL, cost=30, name=name)


def _reserves(run_id: str, *, revision: int = 1, day: int = 1000) -> Maker:
    """Only reserve, in one budget that may have to be made, rolled or changed for it."""
    budgets = [budget(day=day, revision=revision)]
    return lambda world: tolerant(world.ledger.reserve(asked(run_id), budgets, now=world.now))


def _lapses(world: World) -> Actor:
    return tolerant(world.ledger.lapse(_HELD, now=world.now))


def _releases(world: World) -> Actor:
    return tolerant(world.ledger.release(_HELD, now=world.now))


def _pays_from_parts(name: str, run_id: str, *, amount: int = 100) -> Maker:
    """Call through the part of a split budget, or take more than the whole has without its parts."""
    budgets = [budget(day=ENOUGH, month=2 * ENOUGH)]
    return lambda world: call(world, asked(run_id, amount=amount), budgets, cost=30, name=name)


def _splits(world: World) -> None:
    _split(world, [budget(day=ENOUGH, month=2 * ENOUGH)])


def _lent(world: World) -> None:
    """Split the budget; what one part has is held by one call, and another's is free."""
    _split(world, [budget(day=ENOUGH, month=2 * ENOUGH)])
    limit = budget(day=ENOUGH, month=2 * ENOUGH)
    for run_id in ("run_1", "run_2"):
        world.drive(call(world, asked(run_id), [limit], cost=30, name="before"), world.write)


def _used_up(world: World) -> None:
    """Split the budget; all that its one part was lent is spent."""
    _split(world, [budget(day=ENOUGH, month=2 * ENOUGH)])
    limit = budget(day=ENOUGH, month=2 * ENOUGH)
    for attempt, amount in enumerate((100, 1500), start=1):
        what = replace(asked(amount=amount), attempt=attempt)
        world.drive(call(world, what, [limit], cost=amount, name="before"), world.write)


def _settles_yesterday(world: World) -> Actor:
    return tolerant(world.ledger.settle(_YESTERDAY, cost_micro_usd=40, now=world.now))


def _nothing(world: World) -> None:
    """Leave the world without a budget's row."""


def _rows(world: World) -> None:
    """Make the budgets' rows, whose writes are not of interest."""
    world.perform(world.ledger.reserve(asked("none", amount=0), _SMALL, now=world.now))


def _yesterday(world: World) -> None:
    """Spend 40, start a call that will cost 40, and let the day end."""
    for run_id in ("earlier", "yesterday"):
        what = world.perform(world.ledger.reserve(asked(run_id), [budget()], now=world.now))
        world.perform(world.ledger.start(what, token=run_id, now=world.now))
        world.bill(what, 40)
        if run_id == "earlier":
            world.perform(world.ledger.settle(what, cost_micro_usd=40, now=world.now))
    world.now += DAY / 2


_CASTS: tuple[tuple[Callable[[World], None], tuple[Maker, ...]], ...] = (
    (_nothing, (_reserves("run_1"), _reserves("run_2"))),
    (_rows, (_reserves("run_1", revision=2), _reserves("run_2", revision=2))),
    (_yesterday, (_reserves("run_1"), _reserves("run_2"), _settles_yesterday)),
    (_yesterday, (_reserves("run_1", revision=2, day=1500), _reserves("run_2", revision=3, day=1600))),
    (_rows, (_calls("a"), _lapses, _releases)),
    (_rows, (_calls("a"), _calls("b"), _lapses)),
    (_rows, (_calls("a"), _calls("b", "run_2"), _lapses)),
    (_splits, (_pays_from_parts("a", "run_3"), _pays_from_parts("b", "run_4"))),
    (_lent, (_pays_from_parts("a", "run_3"), _pays_from_parts("b", "run_5", amount=13_000))),
    (_lent, (_pays_from_parts("a", "run_3"), _reserves("run_4", revision=2, day=ENOUGH + 100))),
)


def _length(ledger: Any, prepare: Callable[[World], None], maker: Maker) -> int:
    world = World(ledger)
    prepare(world)
    world.writes = 0
    world.drive(maker(world), world.apply)
    return max(1, world.writes)


def _orders(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield every order of that many turns of each actor."""
    total, last = sum(lengths), len(lengths) - 1
    if not last:
        yield [0] * total
        return
    for places in combinations(range(total), lengths[-1]):
        for rest in _orders(lengths[:-1]):
            turns = iter(rest)
            yield [last if place in places else next(turns) for place in range(total)]


def _play(world: World, actors: Sequence[Actor], order: Sequence[int], midnight: int | None) -> None:
    """Let each actor make one write a turn; one that others made repeat itself gets turns at the end."""
    met: dict[int, Met] = dict.fromkeys(range(len(actors)))
    turns = [*order, *(number for _ in range(20) for number in range(len(actors)))]
    for turn, number in enumerate(turns):
        if turn == midnight:
            world.now += DAY / 2
        if number not in met:
            continue
        try:
            met[number] = world.write(actors[number].send(met[number]))
        except StopIteration:
            del met[number]
    assert not met
