"""A world in which executions of the ingest and erase machines take turns, one side effect each, and are judged.

The state machines are the repository's own files and the handlers the real ones. A handler is run again from its
beginning for every turn: what it was answered before is told again, and the next side effect ends the turn.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Literal

import msgspec

from functions.claim_document.handler import claim_document
from functions.close_document.handler import close_document
from functions.erase_passages.handler import erase_passages
from functions.index_passages.handler import index_passages
from functions.publish_document.handler import publish_document
from functions.refuse_document.handler import refuse_document
from functions.remove_passages.handler import remove_passages
from plinth.contracts.ingesting import Vectors
from plinth.contracts.memory import (
    DocumentRecord,
    DocumentState,
    DocumentVersion,
    IndexedVersion,
    ParsedDocument,
    Passage,
)
from plinth.contracts.tenant import Tenant
from plinth.errors import DocumentRefusedError, NotFoundError, PassagesNotVisibleError, StoreUnavailableError
from plinth.memory import document_row
from plinth.memory.naming import document_id, sequence, text_hash
from tests.fakes.clock import FakeClock
from tests.fakes.documents import FakeDocuments
from tests.fakes.memory import FakeMemory
from tests.fakes.tenants import FakeTenants
from tests.unit.access.world import TIER

Fault = Literal["before", "after", "twice", "spent before", "spent after", "spent late"]
FAULTS: tuple[Fault, ...] = ("before", "after", "twice", "spent before", "spent after", "spent late")
"""The effect or its answer is lost and the step repeats; it happens twice; it or its answer is lost once too often.

Late is what happens only after the step was given up: a write to memory before its search shows what was written,
anything else some effects later.
"""

TENANT = Tenant(id="acme")
DOCUMENT = document_id(TENANT, "a.txt")
HANDLERS: Mapping[str, Callable[..., Any]] = {
    "ClaimDocument": claim_document,
    "IndexPassages": index_passages,
    "PublishDocument": publish_document,
    "RefuseDocument": refuse_document,
    "RemovePassages": remove_passages,
    "CloseDocument": close_document,
    "ErasePassages": erase_passages,
}
"""The steps that touch what others touch. Those between claim and index only hand on, by try: they are told apart."""
EFFECTS = {
    "documents": ("begin", "publish", "copied", "awaits", "is_live", "refuse", "hide", "close", "redrivable"),
    "memory": ("index", "read", "count", "remove_older", "remove_this", "remove_through"),
    "dead_letters": ("send",),
}
_ASKED_FIRST = ("begin", "hide")
"""What nothing is given up for: it is all that its function does."""
_MOST_TURNS = 200
_LATE_BY = 5


@cache
def machines() -> dict[str, dict[str, Any]]:
    """Return both machines' states as they lie in the repository."""
    return {each: definition(each) for each in ("ingest", "erase")}


def definition(machine: str) -> dict[str, Any]:
    """Return one machine's states."""
    found: dict[str, Any] = json.loads(Path(f"statemachines/{machine}.asl.json").read_text("utf-8"))
    return found


def version(number: int) -> DocumentVersion:
    """Return the version (or deletion) with this sequence."""
    return DocumentVersion(
        tenant=TENANT,
        document_id=DOCUMENT,
        name="a.txt",
        object_key="acme/a.txt",
        version_id=f"v{number}",
        sequence=sequence(f"{number:X}"),
        size_bytes=1,
    )


def number_of(document: DocumentVersion) -> int:
    """Return which version it is, whatever sequence it was given."""
    return int((document.version_id or "v0")[1:])


@cache
def passages(document: DocumentVersion) -> tuple[Passage, ...]:
    """Return the version's passages; odd ones have two, even ones three."""
    number = number_of(document)
    return tuple(Passage(position=at, text=f"{number} {at}") for at in range(2 + (number + 1) % 2))


class TurnEnd(BaseException):
    """A side effect was made."""


class LaggingMemory(FakeMemory):
    """A search sees what was written only after a refresh."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = FakeMemory()

    def refresh(self) -> None:
        self.seen._stored = dict(self._stored)
        for other in self.others.values():
            other.refresh()

    def read(self, document: DocumentVersion) -> IndexedVersion:
        return self.seen.read(document)

    def drop(self) -> None:
        super().drop()
        self.seen.drop()

    def count(self, document: DocumentVersion) -> int:
        return self.seen.count(document)

    def _remove(self, document: DocumentVersion, goes: Callable[[str], bool]) -> int:
        gone = [key for key, stored in self.seen._of(document) if goes(stored.generation)]
        for key in gone:
            self._stored.pop(key, None)
        return len(gone)

    def texts(self, *, seen: bool) -> dict[str, set[str]]:
        """Return the texts of each generation."""
        found: dict[str, set[str]] = {}
        for passage, _ in (self.seen if seen else self)._stored.values():
            found.setdefault(passage.generation, set()).add(passage.text)
        return found


@cache
def handed_on(document: DocumentVersion, name: str) -> bytes:
    """Return what the steps between claim and index leave for a try."""
    made = passages(document)
    if name == "text":
        return msgspec.json.encode(ParsedDocument(title="Title", sections=()))
    if name == "passages":
        return msgspec.json.encode(made)
    vectors = {text_hash(passage.text): [1.0] for passage in made}
    return msgspec.msgpack.encode(Vectors(by_model={"passages": vectors}))


class Letters(list[tuple[DocumentVersion, DocumentRecord]]):
    """The dead-letter queue."""

    def send(self, document: DocumentVersion, refusal: DocumentRecord) -> None:
        self.append((document, refusal))


@dataclass
class World:
    """The stores, what happened to the document, and one planned fault. Rules, handlers, machines may be mutants."""

    rules: ModuleType = document_row
    handlers: Mapping[str, Callable[..., Any]] = field(default_factory=lambda: HANDLERS)
    machines: Mapping[str, Any] = field(default_factory=machines)
    make_memory: Callable[[], LaggingMemory] = LaggingMemory
    unreadable: frozenset[int] = frozenset()
    fault: tuple[int, Fault] | None = None
    effects: int = 0
    uploads: set[str] = field(default_factory=set[str])
    deletions: set[str] = field(default_factory=set[str])
    told: dict[str, DocumentVersion] = field(default_factory=dict[str, DocumentVersion])
    closed_through: str = ""
    hidden_through: str = ""
    lags: bool = False
    asked: bool = False
    late: Callable[[], object] | None = None
    late_by: int = 0
    late_shows: bool = False
    newest_live: str = ""
    moves: bool = False
    is_erased: bool = False

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.documents = FakeDocuments(self.clock)
        self.documents.rules = self.rules
        self.memory = self.make_memory()
        self.tenants = FakeTenants()
        self.tenants.tiers[TENANT] = TIER
        self.dead_letters = Letters()
        self.executions: list[Execution] = []
        self.last = (self.live, self.documents.corpus_version(TENANT))

    @property
    def live(self) -> str | None:
        """The generation that a reader sees."""
        return self.documents.live_generations(TENANT, [DOCUMENT]).get(DOCUMENT)

    def effect(self, port: str, name: str, *args: Any, **options: Any) -> Any:
        """Make one side effect, as a store does that fails once, at the planned effect; judge the world after it."""
        number, self.effects = self.effects, self.effects + 1
        fault = self.fault[1] if self.fault and self.fault[0] == number else None
        if fault == "spent late" and name not in _ASKED_FIRST:
            self.late, self.late_by = lambda: self._made(port, name, *args, **options), _LATE_BY
            self.late_shows = name == "index"
            raise StoreUnavailableError(fault)
        if fault in ("before", "spent before"):
            raise StoreUnavailableError(fault)
        result = self._made(port, name, *args, **options)
        self.late_by -= 1
        if not self.late_by:
            self.arrive()
        if fault == "twice":
            result = self._made(port, name, *args, **options)
        if fault in ("after", "spent after"):
            raise StoreUnavailableError(fault)
        return result

    def arrive(self) -> None:
        """Let what was late happen."""
        late, self.late = self.late, None
        if late:
            with suppress(StoreUnavailableError):
                late()

    def handed_on(self, document: DocumentVersion, name: str) -> bytes:
        """Return what the steps between claim and index leave, until it is erased."""
        if self.is_erased:
            raise StoreUnavailableError("spent: the work objects are gone")
        return handed_on(document, name)

    def erase_tenant(self) -> None:
        """Take all that the tenant has, once what was in flight when it was hidden has arrived."""
        self.arrive()
        self.is_erased, self.last = True, (None, 0)
        self.documents.rows.clear()

    def port(self, name: str) -> Any:
        """Return a store; a memory goes by the name of its index."""
        return getattr(self, name) if hasattr(self, name) else self.memory.named(name)

    def _made(self, port: str, name: str, *args: Any, **options: Any) -> Any:
        result = getattr(self.port(port), name)(*args, **options)
        if name == "close":
            self.closed_through = max(self.closed_through, args[0].sequence)
        if name == "hide":
            self.hidden_through = max(self.hidden_through, self.documents._row(TENANT, DOCUMENT).sequence)
        self.judge()
        return result

    def judge(self) -> None:
        """Hold what must be true at every moment."""
        live, corpus = self.live, self.documents.corpus_version(TENANT)
        if live != self.last[0]:
            assert corpus > self.last[1], f"{self.last} became {live} unnoticed"
        self.last = (live, corpus)
        generation = self.documents._row(TENANT, DOCUMENT).generation
        if live is None or generation is None:
            return
        assert live >= self.newest_live, f"{live} after {self.newest_live}"
        self.newest_live = live
        sequence = live.partition(".")[0]
        gone = max(self.closed_through, self.hidden_through)
        assert sequence > gone, f"{live} returned after {gone}"
        whole = {passage.text for passage in passages(self.told[sequence])}
        searched = self.documents.corpus(TENANT).indexes.live
        held = self.memory.named(searched).texts(seen=True)
        assert held.get(live) == whole, f"{live} is not whole in {searched}: {held}"

    def rest(self) -> None:
        """Hold what must be true once nothing goes on any more."""
        self.arrive()
        self.memory.refresh()
        row = self.documents._row(TENANT, DOCUMENT)
        newest = max(self.uploads | self.deletions)
        indexes = self.documents.corpus(TENANT).indexes.all
        held = [generation for each in indexes for generation in self.memory.named(each).texts(seen=True)]
        if newest in self.deletions:
            assert row.state is DocumentState.DELETED, row
            assert held == [], f"left behind: {held}"
            return
        assert row.sequence == newest, row
        assert row.hidden_from is None, row
        assert held == ([row.generation] * len(indexes) if row.generation else []), f"{row.generation} of {held}"
        if row.state is DocumentState.REFUSED:
            letters = {(each.sequence, len(told.attempted_at)) for each, told in self.dead_letters}
            assert (newest, row.attempt) in letters, row
            assert row.reason, row
            assert not (row.generation or "").startswith(newest), row
        else:
            assert row.state is DocumentState.READY, row
            assert (row.generation or "").startswith(f"{newest}."), row


@dataclass
class Execution:
    """One execution of a machine: its state, its variables, and what the running handler was answered until now."""

    world: World
    machine: str
    document: DocumentVersion
    name: str
    state: str = ""
    answers: list[Any] = field(default_factory=list[Any])
    variables: dict[str, Any] = field(default_factory=dict[str, Any])
    misses: int = 0
    is_over: bool = False

    def __post_init__(self) -> None:
        self.state = self.world.machines[self.machine]["StartAt"]
        self._services = self._made_services()
        self._told = 0
        told = {"ingest": self.world.uploads, "erase": self.world.deletions}.get(self.machine)
        if told is not None:
            self.world.told[self.document.sequence] = self.document
            told.add(self.document.sequence)
        self.world.executions.append(self)

    def turn(self) -> None:
        """Go on until one side effect is made, or the machine has ended."""
        try:
            while not self.is_over:
                self._go_on(self.world.machines[self.machine]["States"][self.state])
        except TurnEnd:
            return

    def _go_on(self, state: Mapping[str, Any]) -> None:
        if state["Type"] == "Choice":
            chosen = (each["Next"] for each in state["Choices"] if self.variables[_named(each["Condition"])])
            self._enter(next(chosen, state["Default"]))
        elif state["Type"] == "Wait":
            if self.world.late_shows:
                self.world.arrive()
            self.world.memory.refresh()
            self.world.judge()
            self._enter(state["Next"])
        elif state["Type"] == "Task":
            self._task(state)
        elif "Next" in state:
            self._enter(state["Next"])
        else:
            self.is_over = True

    def _task(self, state: Mapping[str, Any]) -> None:
        try:
            result = self._result()
        except PassagesNotVisibleError as error:
            self.world.memory.refresh()
            self.misses += 1
            self._fail(state, error, spent=self.misses > 3)
        except (StoreUnavailableError, DocumentRefusedError) as error:
            self._fail(state, error, spent=str(error).startswith("spent") or isinstance(error, DocumentRefusedError))
        else:
            self.variables |= result
            if self.state == "ClaimDocument":
                self.document = replace(self.document, attempt=result["attempt"])
            self._leave(state)

    def _fail(self, state: Mapping[str, Any], error: Exception, *, spent: bool) -> None:
        """Repeat the step, or where its retries are spent, go where its Catch leads."""
        self.answers = []
        if spent and "Catch" in state:
            self.variables |= {"error": type(error).__name__, "cause": str(error), **_told(state["Catch"][0]["Output"])}
            self._enter(state["Catch"][0]["Next"])

    def _leave(self, state: Mapping[str, Any]) -> None:
        if state.get("End"):
            self.is_over = True
        else:
            self._enter(state["Next"])

    def _enter(self, state: str) -> None:
        self.answers, self.state = [], state
        if state == "PublishDocument" and not self.world.lags:
            self.world.memory.refresh()
            self.world.judge()

    def _result(self) -> dict[str, Any]:
        if self.state not in self.world.handlers:
            if number_of(self.document) in self.world.unreadable:
                raise DocumentRefusedError("encrypted", "remove the password")
            return {"passages": len(passages(self.document)), "tokens": 0, "with_contexts": False}
        handler = self.world.handlers[self.state]
        request = handler.__annotations__["request"]
        known = {
            "error": "",
            "cause": "",
            "reread_for": "",
            "in_context": 0,
            "contexts_micro_usd": 0,
            "copied": 0,
            **self.variables,
            "document": self.document,
            "execution": self.name,
        }
        given = {each: known[each] for each in _fields(request)}
        self._told = 0
        return dict(msgspec.to_builtins(handler(request(**given), self._services)))

    def _made_services(self) -> Any:
        """Return services whose effects are told from before, as far as they were made, and then end the turn."""
        ports = {
            port: SimpleNamespace(**{name: self._port(port, name) for name in names}) for port, names in EFFECTS.items()
        }
        ports["documents"].corpus_version = self.world.documents.corpus_version
        corpus = self._port("documents", "corpus") if self.world.moves else self.world.documents.corpus
        ports["documents"].corpus = corpus
        names = EFFECTS["memory"]
        ports["memory"].named = lambda index: SimpleNamespace(**{name: self._port(index, name) for name in names})
        return SimpleNamespace(work=SimpleNamespace(get=self.world.handed_on), tenants=self.world.tenants, **ports)

    def _port(self, port: str, name: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if self._told < len(self.answers):
                answer, self._told = self.answers[self._told], self._told + 1
                if isinstance(answer, Exception):
                    raise answer
                return answer
            try:
                self.answers.append(self.world.effect(port, name, *args, **options))
            except (StoreUnavailableError, NotFoundError) as error:
                self.answers.append(error)
            raise TurnEnd

        return call


@cache
def _fields(request: type) -> tuple[str, ...]:
    return tuple(each.name for each in fields(request))


def _named(condition: str) -> str:
    """Return the variable that a condition like `{% $states.input.current %}` asks for."""
    return condition.removeprefix("{% $states.input.").removesuffix(" %}")


def _told(output: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in output.items() if not isinstance(value, str)}


def finish(actors: list[Any]) -> None:
    """Let everyone take turns until all have ended."""
    for _ in range(_MOST_TURNS):
        for actor in actors:
            actor.turn()
        if all(actor.is_over for actor in actors):
            return
    raise AssertionError("it never ends")
