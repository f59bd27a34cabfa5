"""Which model calls a run has started, as its budgets know: also those whose end nobody was told."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from plinth.contracts.money import StartedCall
from plinth.contracts.runs import ModelCost, Run, RunRequest
from plinth.errors import RecordUnreadableError, TransientError
from plinth.money.budgets import budgets_of
from plinth.money.prices import Price
from plinth.wiring import Services


def started_calls(run: Run, asked: RunRequest, services: Services) -> list[ModelCost]:
    """Return each started call at its bill, or at its bound where none was told; none where the run has no budget."""
    return [_cost(call) for call in services.ledger.started(run)] if budgets_of(run.tenant, asked) else []


def lost_calls(told: Sequence[ModelCost], run: Run, asked: RunRequest, services: Services) -> list[ModelCost]:
    """Return the started calls of each step after those that somebody was told of."""
    paid = Counter(call.step for call in told if call.bound_micro_usd)  # only those are in the ledger
    lost: list[ModelCost] = []
    for call in started_calls(run, asked, services):
        if paid[call.step]:
            paid[call.step] -= 1
        else:
            lost.append(call)
    return lost


def every_call(told: Sequence[ModelCost], run: Run, asked: RunRequest, services: Services) -> tuple[ModelCost, ...]:
    """Return what the machine was told of its calls, and those after them whose function was lost.

    Only what is told is returned where the ledger can't be read, since no receipt may keep a run from its end.
    """
    try:
        return (*told, *lost_calls(told, run, asked, services))
    except (TransientError, RecordUnreadableError):
        return tuple(told)


def _cost(call: StartedCall) -> ModelCost:
    try:
        price = msgspec.json.decode(call.price, type=Price)
    except msgspec.DecodeError as error:
        raise RecordUnreadableError("the price of a started call can't be read") from error
    return ModelCost(
        model=call.model,
        input_tokens=0,
        output_tokens=0,
        cached_input_tokens=0,
        cost_micro_usd=call.cost_micro_usd,
        bound_micro_usd=call.bound_micro_usd,
        price_source=price.source,
        price_as_of=price.as_of,
        outcome="complete" if call.billed else "lost",
        estimated=not call.billed,
        step=call.step,
    )
