"""What becomes of a run that nobody ended: it is begun if there is time, waited for, or ended with a reason."""

import msgspec

from plinth.contracts.events import ReceiptMade, RunEnded, StepEnded
from plinth.contracts.money import StartedCall
from plinth.contracts.runs import ModelCost, Overdue, RunStatus
from plinth.errors import RunSupersededError
from plinth.money.budgets import budgets_of
from plinth.money.prices import Price
from plinth.runtime.answer_endings import receipt_for, whole
from plinth.wiring import Services

ABANDONED_SECONDS = 60
"""A machine ends by itself 15 s after its run's deadline: what is open later than this has lost its execution."""
_LEAST_SECONDS = 60  # a run that is begun later would end before its answer
_AGAIN_SECONDS = 30


def look_after(found: Overdue, services: Services) -> bool:
    """Return whether the run was ended. To be begun twice does no harm: one execution can claim a run."""
    run, now = found.run, services.clock.now()
    if now <= run.deadline + ABANDONED_SECONDS:
        begins = found.status is RunStatus.ACCEPTED and now + _LEAST_SECONDS <= run.deadline
        services.runs.look_again(run, at=now + _AGAIN_SECONDS if begins else run.deadline + ABANDONED_SECONDS)
        if begins:
            services.machines.start_answer(run, again=int(now))
        return False
    receipt = _receipt(found, services)
    ended = RunEnded(status=RunStatus.FAILED, reason="timed_out", message="the run's execution was lost; ask again")
    if found.unwanted:
        ended = RunEnded(status=RunStatus.CANCELLED, reason="cancelled", message="the run was cancelled, as was asked")
    try:
        services.run_log.append(run, [receipt, ended])
    except RunSupersededError:
        return False
    services.limits.ended(run, used_tokens=None)
    return True


def _receipt(found: Overdue, services: Services) -> ReceiptMade:
    """Return what is known of a lost run: the calls that its budgets know of, and the steps that were logged."""
    run = found.run
    asked = services.runs.get(run.tenant, run.id).request
    calls = services.ledger.started(run) if budgets_of(run.tenant, asked) else []
    logged = services.run_log.read(run.tenant, run.id, after=0)
    steps = [entry.event for entry in logged if isinstance(entry.event, StepEnded)]
    return ReceiptMade(receipt=whole(receipt_for([_cost(call) for call in calls]), run, asked, services, steps))


def _cost(call: StartedCall) -> ModelCost:
    price = msgspec.json.decode(call.price, type=Price)
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
    )
