"""FailRun: end a run that could not be answered, with a reason that its caller can read."""

from plinth.chain.failures import run_failure
from plinth.contracts import FailRunInput, FailRunOutput
from plinth.contracts.events import RunEnded
from plinth.contracts.runs import RunStatus
from plinth.runtime import step
from plinth.runtime.endings import end_run
from plinth.wiring import Services


def fail_run(request: FailRunInput, services: Services) -> FailRunOutput:
    """Translate the error's name into a reason and end the log and the row with it."""
    failure = run_failure(request.error)
    ended = RunEnded(status=RunStatus.FAILED, reason=failure.reason, message=failure.message)
    end_run(request.run, [*request.steps, ended], receipt=None, failure=failure, services=services)
    return FailRunOutput(reason=failure.reason)


handler = step(fail_run)
