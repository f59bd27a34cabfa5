"""What the protocol of documents must hold in every order of events, with one fault."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, product
from typing import Any

from plinth.errors import NotFoundError, StoreUnavailableError
from tests.unit.ingesting.document_world import (
    DOCUMENT,
    FAULTS,
    TENANT,
    Execution,
    Fault,
    World,
    finish,
    version,
)

MakeWorld = Callable[..., World]
Actor = Any
Maker = Callable[[World], Actor]


@dataclass
class Deletion:
    """A deletion by the API: the document is hidden, then the bucket's marker starts the erase machine."""

    world: World
    number: int

    def __post_init__(self) -> None:
        self.world.asked = True
        self.marker: Execution | None = None
        self.is_over = False

    def turn(self) -> None:
        """Hide, again if that failed, then run the machine."""
        if self.marker is None:
            try:
                self.world.effect("documents", "hide", TENANT, DOCUMENT)
            except StoreUnavailableError:
                return
            except NotFoundError:
                pass
            self.marker = Execution(self.world, "erase", version(self.number), "marker")
            return
        self.marker.turn()
        self.is_over = self.marker.is_over


@dataclass
class UploadAfter:
    """An upload that the bucket puts after the API's deletion: it comes once there is a marker, not before."""

    world: World
    number: int

    def __post_init__(self) -> None:
        self.upload: Execution | None = None
        self.is_over = False

    def turn(self) -> None:
        """Wait for the deletion, if there is one, then run the machine."""
        if self.upload is None:
            if self.world.asked and not self.world.deletions:
                return
            self.upload = Execution(self.world, "ingest", version(self.number), "upload after")
        self.upload.turn()
        self.is_over = self.upload.is_over


@dataclass
class Redrive:
    """Somebody asks to try the document again: what may be tried is read, then its machine runs under a new name."""

    world: World
    name: str = "redrive"

    def __post_init__(self) -> None:
        self.again: Execution | None = None
        self.is_over = False

    def turn(self) -> None:
        """Ask, then run the machine."""
        if self.again is None:
            if self.world.documents._row(TENANT, DOCUMENT).state != "deleted":
                found = self.world.documents.redrivable(TENANT, DOCUMENT)
                if found:
                    self.again = Execution(self.world, "ingest", found, f"{self.name} {found.attempt + 1}")
            self.is_over = self.again is None
            return
        self.again.turn()
        self.is_over = self.again.is_over


def _upload(number: int, name: str = "") -> Maker:
    return lambda world: Execution(world, "ingest", version(number), name or f"upload {number}")


def _marker(number: int) -> Maker:
    return lambda world: Execution(world, "erase", version(number), f"marker {number}")


def _deletion(number: int) -> Maker:
    return lambda world: Deletion(world, number)


def _nothing(world: World) -> None:
    """Begin with an empty bucket."""


def _live(world: World) -> None:
    """Begin with a document that can be searched."""
    finish([_upload(1)(world)])


def _live_later(world: World) -> None:
    """Begin with a document that can be searched, of which an older deletion is still on its way."""
    finish([_upload(3)(world)])


def _refused(world: World) -> None:
    """Begin with a live version and a newer one that could not be read, and can now."""
    world.unreadable = frozenset({2})
    finish([_upload(1)(world)])
    finish([_upload(2)(world)])
    world.unreadable = frozenset()


Cast = tuple[str, Callable[[World], None], tuple[Maker, ...]]
CASTS: tuple[Cast, ...] = (
    ("two uploads", _nothing, (_upload(1), _upload(2))),
    ("two uploads over a live version", _live, (_upload(2), _upload(3))),
    ("an upload and a deletion after it", _nothing, (_upload(1), _marker(2))),
    ("an upload and a deletion before it", _live, (_upload(3), _marker(2))),
    ("an upload and a deletion by the API", _live, (_upload(2), _deletion(3))),
    ("a deletion by the API and an upload after it", _live, (_deletion(2), lambda world: UploadAfter(world, 3))),
    ("one event twice", _nothing, (_upload(1, "one"), _upload(1, "other"))),
    ("two redrives", _refused, (Redrive, lambda world: Redrive(world, "other"))),
    ("a redrive and an upload", _refused, (Redrive, _upload(3))),
    ("a redrive and a deletion", _refused, (Redrive, _deletion(3))),
    ("two deletions", _live, (_deletion(2), _marker(3))),
    ("a deletion by the API and a late one before it", _live_later, (_deletion(4), _marker(2))),
)
TRIPLES: tuple[Cast, ...] = (
    ("two uploads and a deletion between them", _live, (_upload(2), _marker(3), _upload(4))),
    ("a redrive, an upload and a deletion", _refused, (Redrive, _upload(3), _marker(4))),
)


def interleavings(make: MakeWorld, cast: Cast, *, faults_in_each: int | None = None) -> int:
    """Play every order of the actors' effects; return how many were played.

    Each of every `faults_in_each` orders is played again with each fault at each effect.
    """
    _, prepare, makers = cast
    played = 0
    lengths = [_length(make, prepare, maker) for maker in makers]
    for number, order in enumerate(_orders(lengths)):
        played += 1
        effects = _play(make(), prepare, makers, order)
        if faults_in_each and number % faults_in_each == 0:
            for fault in product(range(effects), FAULTS):
                played += 1
                _play(make(), prepare, makers, order, fault=fault)
    return played


def unreadable(make: MakeWorld) -> None:
    """Refuse a version that can't be read, at whatever fault; take it up again; nothing is ever lost without a word."""
    for fault in (None, *((at, each) for at in range(4) for each in FAULTS)):
        world = make()
        _live(world)
        world.unreadable = frozenset({2})
        world.effects, world.fault = 0, fault
        finish([_upload(2)(world)])
        world.rest()
        assert world.live == f"{version(1).sequence}.0001"
        assert world.dead_letters[-1][1].reason
        world.unreadable, world.fault = frozenset(), None
        finish([Redrive(world)])
        world.rest()
        assert (world.live or "").startswith(version(2).sequence)


def unseen(make: MakeWorld) -> None:
    """Publish nothing that a search does not see yet, however long the engine takes."""
    world = make()
    world.lags = True
    finish([_upload(1)(world)])
    world.rest()


def erased(make: MakeWorld) -> None:
    """Hide a tenant and take what it has, at any two moments of an ingest: no row of it comes back, nor any letter."""
    length = _length(make, _nothing, _upload(1))
    for hidden, taken in combinations_with_replacement(range(length + 1), 2):
        for fault in (None, *product(range(length), FAULTS)):
            _erase(make(), hidden, taken, fault=fault)


def _erase(world: World, hidden: int, taken: int, *, fault: tuple[int, Fault] | None) -> None:
    world.fault = fault
    ingest = _upload(1)(world)
    for turn in range(taken):
        if turn == hidden:
            world.tenants.erasing.add(TENANT)
        ingest.turn()
    world.tenants.erasing.add(TENANT)
    world.erase_tenant()
    letters = len(world.dead_letters)
    if hidden and not fault:
        world.tenants.erasing.clear()  # somebody else got its id, while a try that was claimed goes on
    finish([ingest])
    world.tenants.tiers.clear()
    finish([_upload(1, "a late event")(world)])
    world.arrive()
    assert not world.documents.rows, f"returned: {world.documents.rows}"
    assert len(world.dead_letters) == letters, world.dead_letters


def _play(
    world: World,
    prepare: Callable[[World], None],
    makers: Sequence[Maker],
    order: Sequence[int],
    *,
    fault: tuple[int, Fault] | None = None,
) -> int:
    prepare(world)
    world.effects, world.fault = 0, fault
    actors = [maker(world) for maker in makers]
    for number in order:
        actors[number].turn()
    finish(actors)
    world.rest()
    return world.effects


def _length(make: MakeWorld, prepare: Callable[[World], None], maker: Maker) -> int:
    world = make()
    prepare(world)
    world.effects = 0
    finish([maker(world)])
    return world.effects


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
