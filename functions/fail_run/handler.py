"""FailRun: end a run that could not be answered, or was cancelled, with a reason that its caller can read."""

from plinth.access.limits import used_by
from plinth.chain.failures import run_failure
from plinth.contracts import FailRunInput, FailRunOutput
from plinth.contracts.events import ReceiptMade, RunEnded
from plinth.contracts.runs import RunStatus
from plinth.errors import ModelCancelledError, RunSupersededError
from plinth.runtime import step
from plinth.runtime.answer_endings import receipt_for, whole
from plinth.runtime.started_calls import every_call
from plinth.runtime.step_events import last_steps
from plinth.wiring import Services


def fail_run(request: FailRunInput, services: Services) -> FailRunOutput:
    """Translate the error's name into a reason and end the run with it, unless another execution works on it."""
    run = request.run
    if not services.executions.claim(run, owner=request.owner):
        raise RunSupersededError(f"another execution owns run {run.id}")
    failure = run_failure(request.error)
    cancelled = failure.reason == ModelCancelledError.reason
    status = RunStatus.CANCELLED if cancelled else RunStatus.FAILED
    ended = RunEnded(status=status, reason=failure.reason, message=failure.message)
    asked = services.runs.get(run.tenant, run.id).request
    services.limits.ended(run, used_tokens=used_by(request.calls))
    steps = last_steps(request, services)
    calls = every_call(request.calls, run, asked, services)
    receipt = whole(receipt_for(calls), run, asked, services, steps.all)
    services.run_log.append(run, [*steps.unlogged, ReceiptMade(receipt=receipt), ended])
    return FailRunOutput(reason=failure.reason)


handler = step(fail_run)
