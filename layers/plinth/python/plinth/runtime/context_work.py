"""What the steps that make contexts hand to one another; what was paid for lies under the version, not the try."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from plinth.chain.contexts import CONTEXT_VERSION
from plinth.contracts.contexts import ContextPlan, WrittenWindow
from plinth.contracts.memory import DocumentVersion, ParsedDocument, Passage
from plinth.contracts.runs import Run
from plinth.memory.context_windows import context_key
from plinth.wiring import Services

_LAPSE_SECONDS = 300


def split_passages(document: DocumentVersion, services: Services) -> tuple[Passage, ...]:
    """Return the passages as they were split."""
    return msgspec.json.decode(services.work.get(document, "split"), type=tuple[Passage, ...])


@dataclass(frozen=True, slots=True)
class Window:
    """One window of a plan. What its calls gave lies under its passages' keys; a failure only under the try."""

    document: DocumentVersion
    plan: ContextPlan
    number: int
    all_passages: Sequence[Passage]

    @property
    def passages(self) -> list[Passage]:
        """What the model is asked about."""
        return [self.all_passages[position] for position in self.plan.windows[self.number]]

    @property
    def keys(self) -> list[str]:
        """What decides each one's context."""
        return keys_of(self.plan, self.passages)

    @property
    def name(self) -> str:
        """What its contexts are kept under."""
        return "contexts-" + hashlib.sha256("".join(self.keys).encode()).hexdigest()[:32]

    def kept(self, services: Services) -> WrittenWindow | None:
        """Return what was written of it, by this try or an earlier one."""
        for place in (replace(self.document, attempt=0), self.document):
            if body := services.work.find(place, self.name):
                return msgspec.json.decode(body, type=WrittenWindow)
        return None

    def keep(self, written: WrittenWindow, services: Services) -> None:
        """Keep what was paid for."""
        place = replace(self.document, attempt=0) if written.contexts else self.document
        services.work.put(place, self.name, msgspec.json.encode(written))

    def run(self, services: Services, epoch: int = 1) -> Run:
        """Return the name under which the ledger and the usage know the window's calls."""
        deadline = services.clock.now() + _LAPSE_SECONDS
        name = f"{self.document.document_id}.{self.document.generation}.{self.number}"
        return Run(id=name, tenant=self.document.tenant, epoch=epoch, deadline=deadline)


def parsed_of(document: DocumentVersion, services: Services) -> ParsedDocument:
    """Return the version's text."""
    return msgspec.json.decode(services.work.get(document, "text"), type=ParsedDocument)


def plan_of(document: DocumentVersion, services: Services) -> ContextPlan:
    """Return what was planned for the version."""
    return msgspec.json.decode(services.work.get(document, "context-plan"), type=ContextPlan)


def keys_of(planned: ContextPlan, passages: Sequence[Passage]) -> list[str]:
    """Return the names of all that decides the passages' contexts."""
    told = (CONTEXT_VERSION, planned.model, planned.title, planned.beginning)
    return [context_key(each, told=told) for each in passages]
