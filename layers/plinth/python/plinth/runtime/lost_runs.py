"""What becomes of a run that nobody ended: it is begun if there is time, waited for, or ended with a reason."""

from plinth.contracts.events import RunEnded
from plinth.contracts.runs import Overdue, RunStatus
from plinth.errors import RunSupersededError
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
    ended = RunEnded(status=RunStatus.FAILED, reason="timed_out", message="the run's execution was lost; ask again")
    if found.unwanted:
        ended = RunEnded(status=RunStatus.CANCELLED, reason="cancelled", message="the run was cancelled, as was asked")
    try:
        services.run_log.append(run, [ended])
    except RunSupersededError:
        return False
    services.limits.ended(run, used_tokens=None)
    return True
