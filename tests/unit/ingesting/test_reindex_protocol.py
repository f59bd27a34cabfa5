"""A reindex among the effects of an upload or a deletion, with faults and crashes; and mutants that must be found."""

from collections.abc import Callable
from itertools import combinations, product
from types import ModuleType
from typing import Any

import pytest

from plinth.contracts.memory import NO_LABELS, DocumentVersion, Labels
from plinth.runtime import reindexing
from tests.unit.ingesting.document_mutants import Mutant, _mutated
from tests.unit.ingesting.document_world import FAULTS, TENANT, Execution, Fault, LaggingMemory, finish, version
from tests.unit.ingesting.reindex_world import NEW_INDEX, Reindexing, ReindexWorld

pytestmark = pytest.mark.guarantee_d

Actor = Callable[[ReindexWorld], Any]
OTHERS: dict[str, Actor] = {
    "an upload": lambda world: Execution(world, "ingest", version(2), "upload"),
    "a deletion": lambda world: Execution(world, "erase", version(2), "marker"),
}
ENDINGS: dict[str, dict[str, Any]] = {
    "undisturbed": {},
    "cut off before it fills": {"dies_at": 1},
    "cut off before it switches": {"dies_at": 2},
    "cancelled": {"cancels": True},
}
REREAD: dict[str, dict[str, Any]] = {
    f"the second reading {'ends' if turn is None else f'dies at turn {turn}'}": {
        "reread": True,
        "reading_dies_at": turn,
    }
    for turn in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, None)
}
each_other = pytest.mark.parametrize("other", OTHERS.values(), ids=list(OTHERS))
each_ending = pytest.mark.parametrize("ending", ENDINGS.values(), ids=list(ENDINGS))


def play(
    other: Actor,
    ending: dict[str, Any],
    order: tuple[int, ...] = (),
    *,
    fault: tuple[int, Fault] | None = None,
    decide: ModuleType = reindexing,
) -> tuple[int, int]:
    """Begin with a live document; the other takes the turns in `order`, the reindex the rest. Return both lengths."""
    world = ReindexWorld(decide=decide)
    finish([Execution(world, "ingest", version(1), "upload 1")])
    world.effects, world.fault = 0, fault
    actors = [Reindexing(world, **ending), other(world)]
    turns = [0, 0]
    while not all(actor.is_over for actor in actors):
        first = sum(turns) in order if order else False
        chosen = int(first) if not actors[int(first)].is_over else int(actors[0].is_over)
        actors[chosen].turn()
        turns[chosen] += 1
        if turns[0] > len(order) + 40 and not actors[1].is_over:
            actors[1].turn()
            turns[1] += 1
        assert sum(turns) < 1_000, "it never ends"
    world.rest()
    return turns[0], turns[1]


def orders(other: Actor, ending: dict[str, Any], *, blocks: int) -> list[tuple[int, ...]]:
    """Return the orders in which the other's turns come in so many stretches, at every place among the reindex's."""
    _, own = play(other, ending)
    whole = sum(play(other, ending))
    found: list[tuple[int, ...]] = []
    for cut in range(1, own) if blocks > 1 else (own,):
        for places in combinations(range(whole - own + 1), blocks):
            first = tuple(range(places[0], places[0] + cut))
            rest = tuple(range(places[-1] + cut, places[-1] + own)) if blocks > 1 else ()
            found.append(first + rest)
    return found


@each_ending
@each_other
def test_whatever_comes_between_the_searched_index_has_the_live_version_whole(
    other: Actor, ending: dict[str, Any]
) -> None:
    for order in orders(other, ending, blocks=2)[::20]:
        play(other, ending, order)


@pytest.mark.parametrize("ending", REREAD.values(), ids=list(REREAD))
@each_other
def test_so_it_has_where_documents_are_read_again_and_readings_die(other: Actor, ending: dict[str, Any]) -> None:
    for order in orders(other, ending, blocks=2)[::29]:
        play(other, ending, order)


@pytest.mark.long
@each_ending
@each_other
def test_so_it_has_in_every_order(other: Actor, ending: dict[str, Any]) -> None:
    for order in orders(other, ending, blocks=2):
        play(other, ending, order)


@each_ending
@each_other
def test_so_it_has_with_one_fault_at_any_effect(other: Actor, ending: dict[str, Any]) -> None:
    for order in orders(other, ending, blocks=1)[::9]:
        for at in range(sum(play(other, ending, order))):
            for fault in FAULTS:
                play(other, ending, order, fault=(at, fault))


class SlowMemory(LaggingMemory):
    """One that misses its next `misses` refreshes, and counts what it was given to write."""

    misses = writes = 0

    def refresh(self) -> None:
        self.misses -= 1
        if self.misses < 0:
            super().refresh()

    def index(self, document: DocumentVersion, title: str, passages: Any, *, labels: Labels = NO_LABELS) -> int:
        self.writes += 1
        return super().index(document, title, passages, labels=labels)


@pytest.mark.parametrize("misses", [0, 2, 4])
def test_a_copy_is_written_once_however_late_a_search_shows_it(misses: int) -> None:
    """After four the machine gives up and stops: the next one finds what was written."""
    world = ReindexWorld(make_memory=SlowMemory)
    finish([Execution(world, "ingest", version(1), "upload 1")])
    copies = world.memory.named(NEW_INDEX)
    assert isinstance(copies, SlowMemory)
    copies.misses = misses
    world.fault = (1_000, "before")  # it may get stuck

    finish([Reindexing(world)])

    assert world.documents.corpus(TENANT).indexes.live == NEW_INDEX
    assert copies.writes == 1


DECISION = "plinth.runtime.reindexing"
MUTANTS = (
    Mutant("it switches though something is lacking", DECISION, "if not lacking:", "if True:"),
    Mutant("tenants publish into the old index alone", DECISION, "else replace(held, other=target)", "else held"),
    Mutant("the old index is not written on", DECISION, "live=target, other=held.live)", "live=target)"),
    Mutant("the old index stays", DECISION, "        services.memory.named(name).drop()", "        pass"),
    Mutant(
        "nothing goes back", DECISION, "held.other if held.live == target and held.other else held.live", "held.live"
    ),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what.replace(" ", "_"))
def test_a_wrong_reindex_is_found_out(mutant: Mutant) -> None:
    decide = _mutated(mutant)

    with pytest.raises(AssertionError):
        _all_orders(decide)


def _all_orders(decide: ModuleType) -> None:
    for other, ending in product(OTHERS.values(), ENDINGS.values()):
        for order in orders(other, ending, blocks=2)[::5]:
            play(other, ending, order, decide=decide)
