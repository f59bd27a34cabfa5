"""A world in which a reindex takes turns with executions of the ingest and erase machines, one side effect each.

The reindex is the real decision and the real machine's states, over effects that can fail; its Map runs one document.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType, SimpleNamespace
from typing import Any

from functions.fill_document.handler import fill_document
from plinth.contracts.indexes import TenantIndexes
from plinth.contracts.memory import DocumentVersion
from plinth.contracts.reindexing import AdvanceReindexInput, FilledDocument, ReindexState
from plinth.errors import StoreUnavailableError
from plinth.memory.index_names import IndexName
from plinth.runtime import reindexing
from tests.fakes.indexes import FakeFillLists, FakeIndexes
from tests.fakes.memory import FIRST_INDEX
from tests.unit.ingesting.document_world import HANDLERS, TENANT, Execution, TurnEnd, World, definition, machines

NEW_INDEX = "passages-m9-1"
INDEX_EFFECTS = ("all", "known", "change", "save")
FILLING = {**HANDLERS, "FillDocument": fill_document}


def all_machines() -> dict[str, Any]:
    """Return the machines of documents, and the states that a reindex runs for each document."""
    found = definition("reindex")
    return {**machines(), "fill": found["States"]["FillDocuments"]["ItemProcessor"]}


@dataclass
class ReindexWorld(World):
    """A world whose passages move to another index. `decide` may be a mutant of the decision."""

    handlers: Mapping[str, Callable[..., Any]] = field(default_factory=lambda: FILLING)
    machines: Mapping[str, Any] = field(default_factory=all_machines)
    decide: ModuleType = reindexing
    moves: bool = True
    died: list[DocumentVersion] = field(default_factory=list[DocumentVersion])

    def __post_init__(self) -> None:
        super().__post_init__()
        self.indexes = FakeIndexes(self.documents)
        self.fill_lists = FakeFillLists()

    def rest(self) -> None:
        """Hold what must be true once the reindex is over, too: the index that was left is gone.

        What a try wrote that died is in no answer, and goes with the document or when a newer version comes.
        """
        self.memory.refresh()
        for each in self.died:
            if not self.documents.is_live(each):
                for index in self.documents.corpus(TENANT).indexes.all:
                    self.memory.named(index).remove_this(each)
        super().rest()
        row = self.indexes.row
        if row and row.state is ReindexState.DONE and TENANT in self.documents.indexes:
            assert self.documents.indexes[TENANT] == TenantIndexes(live=NEW_INDEX)
            assert self.memory.named(FIRST_INDEX).texts(seen=False) == {}
        if row and row.state is ReindexState.CANCELLED and TENANT in self.documents.indexes:
            assert self.documents.indexes[TENANT] == TenantIndexes(live=FIRST_INDEX)
            assert self.memory.named(NEW_INDEX).texts(seen=False) == {}


@dataclass
class Filling(Execution):
    """What the Map runs for a document; it waits for a second reading, another execution, until that ends or dies."""

    world: ReindexWorld
    reading: Execution | None = None
    reading_dies_at: int | None = None
    read: int = 0

    def _task(self, state: Mapping[str, Any]) -> None:
        if self.state != "IngestDocument":
            return super()._task(state)
        if self.reading is None:
            self.reading = Execution(self.world, "ingest", self.document, f"{self.name} again")
            self.reading.variables["reread_for"] = self.variables["target"]
        if self.read == self.reading_dies_at and not self.reading.is_over:
            self.reading.is_over = True
            self.world.died.append(self.reading.document)
        if self.reading.is_over:
            return self._leave(state)
        self.reading.turn()
        self.read += 1
        raise TurnEnd


class Reindexing:
    """The machine of reindexes: advance, fill each document of the round, advance again, until it is over.

    `dies_at` cuts the execution off before that advance, and another begins; `cancels` asks to go back once switched.
    `reread` documents are read again, and the reading dies before the turn `reading_dies_at`, if there is one.
    """

    def __init__(
        self,
        world: ReindexWorld,
        *,
        dies_at: int | None = None,
        cancels: bool = False,
        reread: bool = False,
        reading_dies_at: int | None = None,
    ) -> None:
        self.world, self.dies_at, self.cancels = world, dies_at, cancels
        self.reread, self.reading_dies_at = reread, reading_dies_at
        self.round = self.advances = self._told = 0
        self.answers: list[Any] = []
        self.filling: list[Execution] = []
        self.is_over = False
        ports = {
            "indexes": {name: self._port("indexes", name) for name in INDEX_EFFECTS},
            "documents": {"lacking": self._port("documents", "lacking")},
        }
        ports["indexes"] |= {name: self._port("indexes", name, ends=False) for name in ("reindex", "first")}
        self._services: Any = SimpleNamespace(
            **{port: SimpleNamespace(**calls) for port, calls in ports.items()},
            fill_lists=world.fill_lists,
            clock=world.clock,
            newest_index=IndexName(model="passages", mapping=9),
            settings=SimpleNamespace(imports_at_once=2, reindex_grace_seconds=10),
            memory=SimpleNamespace(named=lambda index: SimpleNamespace(drop=self._port(index, "drop"))),
        )

    def turn(self) -> None:
        """Make one side effect."""
        if self.filling:
            self.filling[0].turn()
            if self.filling[0].is_over:
                self.filling.pop(0)
            return
        asked = AdvanceReindexInput(reindex_id="r1", reread=self.reread, round=self.round)
        self._told = 0
        try:
            told = self.world.decide.advance(asked, self._services)
        except TurnEnd:
            return
        except StoreUnavailableError as error:
            self.answers = []
            if str(error).startswith("spent"):  # the execution ends, and somebody starts another
                self.round = 0
            return
        self.answers = []
        self._go_on(told)

    def _go_on(self, told: Any) -> None:
        self.advances += 1
        self.round = told.round
        if told.next == "fill":
            self.filling = [self._filling(each) for each in self.world.fill_lists.lists[told.manifest]]
        elif told.next == "wait":
            self._wait()
        elif told.next == "stuck":
            assert self.world.fault, "it got stuck"
            self.round = 0  # somebody starts it again
        else:
            self.is_over = True
        if self.advances == self.dies_at:
            self.filling, self.round = [], 0

    def _wait(self) -> None:
        """Let the grace pass: whoever reads or writes the index that is left has ended then, as functions do."""
        row = self.world.indexes.row
        if self.cancels and row and row.state is ReindexState.SWITCHED:
            self.world.indexes.save(replace(row, state=ReindexState.CANCELLING))
        elif not any(each.answers and not each.is_over for each in self.world.executions):
            self.world.arrive()
            self.world.memory.refresh()
            self.world.clock.advance(60)

    def _filling(self, each: FilledDocument) -> Execution:
        made = Filling(self.world, "fill", each.document, f"fill {each.document.generation}")
        made.variables |= {"passages": each.passages, "target": each.target, "reread": each.reread}
        made.reading_dies_at = self.reading_dies_at
        return made

    def _port(self, port: str, name: str, *, ends: bool = True) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if self._told < len(self.answers):
                answer, self._told = self.answers[self._told], self._told + 1
                return answer
            if not ends:
                self.answers.append(getattr(self.world.port(port), name)(*args, **options))
                self._told += 1
                return self.answers[-1]
            result = self.world.effect(port, name, *args, **options)
            self.answers.append(list(result) if name in ("all", "lacking") else result)
            raise TurnEnd

        return call
