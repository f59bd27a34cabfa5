"""What an execution that goes on with a run does first."""

from dataclasses import replace

from plinth.contracts.events import RunResumed
from plinth.contracts.executions import Continuation, ResumeAt
from plinth.contracts.models import Reply
from plinth.contracts.runs import Run
from plinth.runtime.turns import asking_reply_name
from plinth.wiring import Services


def resumed(run: Run, services: Services) -> Continuation:
    """Return where this execution begins, once the log takes nothing any more from those before it.

    A run that was cancelled while it waited for a person uses no tool: the call of its model ends it.
    """
    continuation = services.executions.continuation(run)
    services.run_log.append(run, [RunResumed(because=continuation.because)])
    if (wait_seconds := continuation.resumes_at - services.clock.now()) > 0:
        services.executions.renew(run, wait_seconds=wait_seconds)
    if continuation.resume_at is not ResumeAt.RUN_TOOLS:
        return continuation
    if services.runs.get(run.tenant, run.id).unwanted:
        return replace(continuation, resume_at=ResumeAt.CALL_MODEL, attempt=1)
    services.runs.put_content(run, "reply", services.runs.get_content(run, asking_reply_name(continuation.turn), Reply))
    return continuation
