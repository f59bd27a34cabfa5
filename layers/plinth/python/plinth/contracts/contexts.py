"""Contexts: what a model writes about a passage so that it is found. They are searched, never cited.

An object's metadata orders them; what they may cost is known before; texts lie in the work bucket, never in a state.
"""

from dataclasses import dataclass, field

from plinth.contracts.context_orders import NO_CONTEXTS, ContextOrder
from plinth.contracts.memory import DocumentVersion
from plinth.contracts.runs import ModelCost


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextPlan:
    """Which passages are asked about, by position, window by window; `known` are contexts by the key of their inputs.

    `title` and `beginning` are told of the document with each window.
    """

    model: str
    title: str
    beginning: str
    windows: tuple[tuple[int, ...], ...]
    known: dict[str, str] = field(default_factory=dict[str, str])
    order: ContextOrder = NO_CONTEXTS


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenWindow:
    """What a window's calls gave: contexts by the key of their inputs, none where no reply held.

    The calls stand in the books under the name `paid_as`.
    """

    contexts: dict[str, str]
    calls: tuple[ModelCost, ...]
    paid_as: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContextsInput:
    document: DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContextsOutput:
    """How many windows have to be written, and what that can cost at most."""

    windows: int
    most_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteContextsInput:
    """`round` counts from 1: each is a wait for a model that takes no calls just now.

    `started_at` is when the execution began: all windows of a document wait within the same time.
    """

    document: DocumentVersion
    window: int
    round: int
    started_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteContextsOutput:
    """`busy`: the model is to be asked again, after `wait_seconds`; `over_budget`: nothing was asked."""

    cost_micro_usd: int = 0
    busy: bool = False
    wait_seconds: int = 0
    over_budget: bool = False
