"""What becomes of a run that nobody ended: it is begun if there is time, waited for, or ended with a reason."""

from plinth.contracts.events import ReceiptMade, RunEnded, StepEnded
from plinth.contracts.runs import Overdue, RunStatus
from plinth.errors import RunSupersededError
from plinth.runtime.answer_endings import receipt_for, whole
from plinth.runtime.started_calls import started_calls
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
    calls = started_calls(run, asked, services)
    logged = services.run_log.read(run.tenant, run.id, after=0)
    steps = [entry.event for entry in logged if isinstance(entry.event, StepEnded)]
    return ReceiptMade(receipt=whole(receipt_for(calls), run, asked, services, steps))
