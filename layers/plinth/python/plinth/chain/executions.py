"""How long one execution works on a run, when it hands the run over to the next, and when it counts as lost.

A run may take longer than an execution, which ends after five minutes whatever it does. So a run that has more time
than its execution is handed over before a call that might not end in this one. An execution holds a run by a lease,
which it renews while it waits for a model: whoever finds the lease over may take the run over. All of that is only a
matter of time and money, since the epoch fences every effect of an execution that was replaced.
"""

from dataclasses import replace

from plinth.contracts.runs import Failure, Run, RunRecord, contents_until
from plinth.contracts.tenant import Tenant

EXECUTION_SECONDS = 270.0
"""How long an execution works on a run: the machine ends by itself after 285 s."""
CALL_SECONDS = 230.0
"""The longest call of a model, below CallModel's own timeout, so that a slow model ends as an error with a name."""
ENDING_SECONDS = 15.0
"""What is left of an execution's time for the steps after the model's."""
ABANDONED_SECONDS = 60
"""The last machine of a run ends by itself 15 s after the run's deadline: what is open later has lost its execution."""
LOST = Failure(reason="timed_out", message="the run's execution was lost; ask again")
"""What is told of such a run."""
RENEWAL_SECONDS = 30.0
"""How often an execution that waits for a model renews its lease."""
MAX_LOSSES = 3
"""How many executions of a run may be lost: what loses each of them is taken to be the run itself."""

_CALL_AND_ENDING_SECONDS = CALL_SECONDS + ENDING_SECONDS + 5.0
_STARTING_SECONDS = 30.0  # from the start of an execution until it waits or calls
_LEASE_SECONDS = 120.0  # longer than the steps between two renewals take, their usual repeats included
_MACHINE_SECONDS = 20.0  # from the end of an execution's time to that of its machine, and some for clocks


def on_execution(run: Run, *, started_at: float) -> Run:
    """Return the run as an execution carries it that began at this Unix time."""
    return replace(run, execution_deadline=min(run.deadline, started_at + EXECUTION_SECONDS))


def successor(run: Run) -> Run:
    """Return the run as its next execution is given it."""
    return replace(run, epoch=run.epoch + 1, execution_deadline=0.0)


def paused(run: Run, *, now: float, until: float) -> Run:
    """Return the run as its next execution is given it after a wait for a person, which costs the run no time."""
    seconds = int(until - now) + 1
    contents_until = run.contents_until + seconds if run.contents_until else 0
    deadline, kept = run.deadline + seconds, run.expires_at
    return replace(successor(run), deadline=deadline, keep_until=kept, contents_until=contents_until)


def resumed(run: Run, *, now: float, until: float) -> Run:
    """Return a paused run that goes on now: what is left of the wait until then is not the run's."""
    return replace(run, deadline=run.deadline - max(0, int(until - now)))


def run_of(record: RunRecord, tenant: Tenant) -> Run:
    """Return the name of a stored run as its next execution is given it."""
    return Run(
        id=record.id,
        tenant=tenant,
        epoch=record.epoch,
        deadline=record.deadline,
        keep_until=record.expires_at,
        contents_until=contents_until(record.request.contents, record.deadline),
    )


def hands_over(run: Run, *, now: float, wait_seconds: float = 0.0) -> bool:
    """Return whether the next call of a model, after a wait, is for the next execution.

    It is, unless it ends in this one for sure, or the run has no more time than this execution.
    """
    return run.until < run.deadline and now + wait_seconds + _CALL_AND_ENDING_SECONDS > run.until


def call_seconds(run: Run, *, now: float) -> float:
    """Return how long a call may take that begins now; it may be nothing."""
    return min(CALL_SECONDS, run.until - ENDING_SECONDS - now)


def waiting_seconds(run: Run, *, now: float) -> float:
    """Return the time that is left for waits and calls: of the run, and at most that of one execution."""
    return min(run.deadline - now, EXECUTION_SECONDS - _STARTING_SECONDS)


def lease_until(run: Run, *, now: float, wait_seconds: float = 0.0) -> float:
    """Return until when the execution holds the run if it says no more, whatever it has to wait for first."""
    return min(now + wait_seconds + _LEASE_SECONDS, run.until + _MACHINE_SECONDS)
