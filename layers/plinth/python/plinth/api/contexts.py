"""What a caller may say about contexts, and what they will cost: told, and held to, before anything is uploaded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from pydantic import Field

from plinth.access.authentication import Caller
from plinth.access.entitlement import context_model
from plinth.chain.context_prices import estimate
from plinth.contracts.context_orders import NO_CONTEXTS, ContextEstimate, ContextOrder
from plinth.errors import InvalidFieldError

ContextModel = Annotated[
    str | None,
    Field(max_length=100, description="A model of GET /v1/models that writes a sentence of context for each passage."),
]
MaxContextCost = Annotated[
    int | None,
    Field(ge=0, le=10**12, description="Refuse where contexts may cost more, in micro-dollars; see `contexts`."),
]
_MAX_COST = "max_context_cost_micro_usd"


class _File(Protocol):
    @property
    def size_bytes(self) -> int: ...

    @property
    def content_type(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextAsk:
    """What a request says of contexts."""

    model: str | None
    max_cost_micro_usd: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedContexts:
    """What a document's object will order, and what that will cost."""

    order: ContextOrder = NO_CONTEXTS
    estimate: ContextEstimate | None = None


def order_contexts(asked: ContextAsk, files: Sequence[_File], caller: Caller) -> list[OrderedContexts]:
    """Return per file what to order: at most what was told, or its share of what the caller allows beyond that.

    Raises `InvalidFieldError` for a model that the caller's tier does not have.
    """
    if asked.model is None:
        if asked.max_cost_micro_usd is not None:
            raise InvalidFieldError(_MAX_COST, "limits contexts, which nobody asked for: say context_model too")
        return [OrderedContexts() for _ in files]
    chosen = context_model(asked.model, caller.tier)
    told = [estimate(chosen, size_bytes=each.size_bytes, content_type=each.content_type) for each in files]
    whole = sum(each.most_micro_usd for each in told)
    allowed = max(asked.max_cost_micro_usd or 0, whole)
    return [
        OrderedContexts(
            order=ContextOrder(
                model=chosen.id,
                key_id=caller.key_id,
                most_micro_usd=each.most_micro_usd * allowed // whole if whole else 0,
            ),
            estimate=each,
        )
        for each in told
    ]


def added_up(ordered: Iterable[OrderedContexts]) -> ContextEstimate | None:
    """Return what all of them will cost, None where nothing is ordered."""
    told = [each.estimate for each in ordered if each.estimate]
    if not told:
        return None
    return ContextEstimate(
        model=told[0].model,
        expected_micro_usd=sum(each.expected_micro_usd for each in told),
        most_micro_usd=sum(each.most_micro_usd for each in told),
    )


def require_within(asked: ContextAsk, told: ContextEstimate | None) -> None:
    """Raise `InvalidFieldError` where contexts may cost more than the caller allows."""
    if told is None or asked.max_cost_micro_usd is None or told.most_micro_usd <= asked.max_cost_micro_usd:
        return
    amounts = f"{told.most_micro_usd} micro-dollars, about {told.expected_micro_usd} are expected"
    raise InvalidFieldError(_MAX_COST, f"contexts may cost {amounts}: raise it, send less, or leave context_model out")
