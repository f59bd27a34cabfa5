"""What becomes of a run that nobody ended: it is begun or resumed if there is time, waited for, or ended."""

from dataclasses import replace

from plinth.chain.executions import ABANDONED_SECONDS, LOST, MAX_LOSSES
from plinth.contracts.events import ReceiptMade, RunEnded, StepEnded
from plinth.contracts.runs import Overdue, Run, RunStatus
from plinth.errors import RecordUnreadableError, RunSupersededError
from plinth.runtime.answer_endings import receipt_for, whole
from plinth.runtime.approving import expire
from plinth.runtime.started_calls import every_call, lost_calls
from plinth.wiring import Services

_LEAST_SECONDS = 60  # a run that is begun later would end before its answer
_AGAIN_SECONDS = 30
_UNREADABLE_SECONDS = 300
_CANCELLED = RunEnded(status=RunStatus.CANCELLED, reason="cancelled", message="the run was cancelled, as was asked")
_LOST = RunEnded(status=RunStatus.FAILED, reason=LOST.reason, message=LOST.message)


def look_after(found: Overdue, services: Services) -> bool:
    """Return whether the run was ended. To be begun twice does no harm: one execution can claim a run.

    One of which something can't be read is put off, so that it never stands before others: `RecordUnreadableError`.
    """
    try:
        return _look_after(found, services)
    except RecordUnreadableError:
        services.executions.look_again(found.run, at=services.clock.now() + _UNREADABLE_SECONDS)
        raise


def _look_after(found: Overdue, services: Services) -> bool:
    if not found.readable:
        raise RecordUnreadableError("the row of an open run can't be read")
    run, now = found.run, services.clock.now()
    if found.leased_until > now:
        services.executions.look_again(run, at=min(found.leased_until, run.deadline + ABANDONED_SECONDS))
        return False
    if found.unwanted or now > run.deadline + ABANDONED_SECONDS:
        return _end(found, services)
    if found.status is RunStatus.AWAITING_APPROVAL:
        expire(run, services)
        return False
    if now + _LEAST_SECONDS > run.deadline:
        return _end(found, services) if found.leased_until else _wait_for_the_deadline(run, services)
    if not found.leased_until:
        services.executions.look_again(run, at=now + _AGAIN_SECONDS)
        services.machines.start_answer(run, again=int(now))
        return False
    return _resume(found, services)


def _wait_for_the_deadline(run: Run, services: Services) -> bool:
    """Leave a run that nobody holds to an execution that may be on its way."""
    services.executions.look_again(run, at=run.deadline + ABANDONED_SECONDS)
    return False


def _resume(found: Overdue, services: Services) -> bool:
    """Let another execution go on where the lost one began; one that loses every execution is ended."""
    run = found.run
    last = services.executions.continuation(run)
    if last.losses >= MAX_LOSSES:
        return _end(found, services)
    lost = lost_calls(last.calls, run, services.runs.get(run.tenant, run.id).request, services)
    again = replace(last, calls=(*last.calls, *lost), losses=last.losses + 1, because="lost")
    if following := services.executions.take_over(run, again):
        services.machines.start_answer(following)
    return False


def _end(found: Overdue, services: Services) -> bool:
    run = found.run
    receipt = _receipt(run, services)
    try:
        services.run_log.append(run, [receipt, _CANCELLED if found.unwanted else _LOST])
    except RunSupersededError:
        return False
    services.limits.ended(run, used_tokens=None)
    return True


def _receipt(run: Run, services: Services) -> ReceiptMade:
    """Return what is known of a lost run: the calls that it kept or its budgets know of, and the logged steps."""
    asked, told = services.runs.get(run.tenant, run.id).request, services.executions.continuation(run).calls
    logged = services.run_log.read(run.tenant, run.id, after=0)
    steps = [entry.event for entry in logged if isinstance(entry.event, StepEnded)]
    calls = every_call(told, run, asked, services)
    return ReceiptMade(receipt=whole(receipt_for(calls), run, asked, services, steps))
