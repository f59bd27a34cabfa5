"""Wrong protocols: one line changed each, so that the tests can be tested. `old` stands in the file exactly once."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from plinth.contracts.memory import DocumentVersion
from tests.unit.ingesting.document_world import HANDLERS, LaggingMemory, World, machines

RULES = "plinth.memory.document_row"


@dataclass(frozen=True)
class Mutant:
    """A line of the rules, or of a handler, and what is put in its place."""

    what: str
    module: str
    old: str
    new: str = ""

    def __call__(self) -> World:
        """Make a world under the wrong protocol."""
        module = _mutated(self)
        if self.module == RULES:
            return World(rules=module)
        folder = self.module.split(".")[1]
        name = "".join(word.capitalize() for word in folder.split("_"))
        return World(handlers={**HANDLERS, name: getattr(module, folder)})


@dataclass(frozen=True)
class WrongMachines:
    """A change to the states of a machine."""

    what: str
    change: Callable[[dict[str, Any]], None]

    def __call__(self) -> World:
        """Make a world with the wrong machines."""
        changed = deepcopy(machines())
        self.change(changed)
        return World(machines=changed)


@dataclass(frozen=True)
class WrongMemory:
    """A clean-up that removes what it must not."""

    what: str
    memory: type[LaggingMemory]

    def __call__(self) -> World:
        """Make a world with the wrong memory."""
        return World(make_memory=self.memory)


_made: dict[Mutant, ModuleType] = {}


def _mutated(mutant: Mutant) -> ModuleType:
    if mutant not in _made:
        spec = find_spec(mutant.module)
        assert spec
        assert spec.origin
        text = Path(spec.origin).read_text("utf-8")
        assert text.count(mutant.old) == 1, f"{mutant.what}: {text.count(mutant.old)} places"
        module = ModuleType(spec.name)
        exec(compile(text.replace(mutant.old, mutant.new), spec.origin, "exec"), module.__dict__)  # noqa: S102
        _made[mutant] = module
    return _made[mutant]


def _handler(folder: str) -> str:
    return f"functions.{folder}.handler"


def _erase_first(found: Mapping[str, Any]) -> None:
    erase = found["erase"]
    states = erase["States"]
    erase["StartAt"] = "ErasePassages"
    del states["ErasePassages"]["End"], states["CloseDocument"]["Next"]
    states["ErasePassages"]["Next"], states["CloseDocument"]["End"] = "CloseDocument", True


def _clean_up_first(found: Mapping[str, Any]) -> None:
    states = found["ingest"]["States"]
    for name in ("IndexPassages", "PublishDocument"):
        states[name]["Catch"][0]["Next"] = "LetWritesShow"
    del states["RemovePassages"]["End"]
    states["RemovePassages"]["Next"] = "RefuseDocument"
    states["RefuseDocument"]["Next"] = "Refused"


def _no_wait(found: Mapping[str, Any]) -> None:
    found["ingest"]["States"]["LetWritesShow"]["Type"] = "Choice"
    found["ingest"]["States"]["LetWritesShow"] |= {
        "Choices": [{"Condition": "{% $states.input.current %}", "Next": "RemovePassages"}],
        "Default": "RemovePassages",
    }


def _losers_stay(found: Mapping[str, Any]) -> None:
    found["ingest"]["States"]["WasPublished"]["Default"] = "Published"


def _failures_stay(state: str) -> Callable[[Mapping[str, Any]], None]:
    def change(found: Mapping[str, Any]) -> None:
        found["ingest"]["States"][state]["Catch"][0]["Output"]["stored"] = False

    return change


class _RemovesNewer(LaggingMemory):
    def remove_older(self, document: DocumentVersion) -> int:
        return self._remove(document, lambda generation: generation != document.generation)


class _RemovesAll(LaggingMemory):
    def remove_through(self, document: DocumentVersion) -> int:
        return self._remove(document, lambda _: True)


class _RemovesUpTo(LaggingMemory):
    def remove_this(self, document: DocumentVersion) -> int:
        return self.remove_through(document)


_STAYS_READY = """    if _is_live(row, document):
        return Change(row=replace(row, state=DocumentState.READY))
"""
_KNOWN = "is_known(request.document.tenant, services)"
_NEWEST = "newest = (row.sequence, row.attempt) == (document.sequence, document.attempt)"
MUTANTS = (
    Mutant("an older version begins", RULES, "if document.sequence < row.sequence or is_settled", "if is_settled"),
    Mutant("every try has one number", RULES, "attempt=len(tried) + 1", "attempt=1"),
    Mutant("any try may refuse", RULES, "(row.sequence, row.claimed_by) != (document.sequence, execution)", "False"),
    Mutant("a live version is refused", RULES, _STAYS_READY),
    Mutant("what was erased is refused", RULES, " and not document.attempt"),
    Mutant("a claim for an erased tenant", _handler("claim_document"), f"not {_KNOWN}", "False"),
    Mutant("a refusal for an erased tenant", _handler("refuse_document"), _KNOWN, "True"),
    Mutant("a refusal is no fence", RULES, "row, state=DocumentState.REFUSED, updated_at", "row, updated_at"),
    Mutant("a refused try is published", RULES, "newest and row.state is DocumentState.INGESTING", "newest"),
    Mutant("any try is published", RULES, "return newest and", "return"),
    Mutant("a try of another version is published", RULES, _NEWEST, "newest = row.attempt == document.attempt"),
    Mutant("an unnoticed publication", RULES, "    return Change(row=live, seen=True)", "    return Change(row=live)"),
    Mutant("a late deletion takes a newer version", RULES, "if deletion.sequence > row.sequence:", "if True:"),
    Mutant("no tombstone", RULES, "revision=row.revision, sequence=deletion.sequence", "revision=row.revision"),
    Mutant(
        "a deletion leaves the live version", RULES, "and _sequence(row.generation) <= deletion.sequence", "and False"
    ),
    Mutant("a deletion takes any live version", RULES, "and _sequence(row.generation) <= deletion.sequence", ""),
    Mutant("a deletion that reveals", RULES, " and row.hidden_from < deletion.sequence", ""),
    Mutant("hidden for ever", RULES, " and row.hidden_from < deletion.sequence", " and False"),
    Mutant("a deletion that does not hide", RULES, "replace(row, hidden_from=row.sequence, ", "replace(row, "),
    Mutant(
        "hidden documents are shown", RULES, "row.generation if row.hidden_from is None else None", "row.generation"
    ),
    Mutant("publishing uncounted", _handler("publish_document"), "visible != request.passages and", "False and"),
    Mutant(
        "older versions stay", _handler("publish_document"), "        memory.remove_older(document)\n", "        pass\n"
    ),
    Mutant("a clean-up of what is live", _handler("remove_passages"), "services.documents.is_live(document)", "False"),
    Mutant(
        "older versions stay after a failure",
        _handler("remove_passages"),
        "memory.remove_older(document)",
        "0",
    ),
    Mutant("failed tries stay", _handler("remove_passages"), "memory.remove_this(document)", "0"),
    Mutant("no letter", _handler("refuse_document"), "if refusal:", "if False:"),
    Mutant(
        "erased passages stay",
        _handler("erase_passages"),
        "services.memory.named(index).remove_through(request.document)",
        "0",
    ),
    WrongMachines("the tombstone last", _erase_first),
    WrongMachines("the clean-up before the refusal", _clean_up_first),
    WrongMachines("no wait for what was written", _no_wait),
    WrongMachines("losers stay", _losers_stay),
    WrongMachines("what a failed index wrote stays", _failures_stay("IndexPassages")),
    WrongMachines("what a failed publication left stays", _failures_stay("PublishDocument")),
    WrongMemory("older means other", _RemovesNewer),
    WrongMemory("an unbounded clean-up", _RemovesAll),
    WrongMemory("a clean-up of older versions", _RemovesUpTo),
)
