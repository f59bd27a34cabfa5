"""CallModel: stream the model's text into the run log, at a price known beforehand."""

from plinth.contracts import CallModelInput, CallModelOutput, CallOutcome
from plinth.contracts.models import Prompt
from plinth.runtime import step
from plinth.runtime.model_calls import PASSING, call, last_failure, wait_before_retry
from plinth.wiring import Services


def call_model(request: CallModelInput, services: Services) -> CallModelOutput:
    """Call the model once. A failure that may pass is a result with a wait, while the deadline allows one."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    prompt = services.runs.get_content(run, "prompt", Prompt)
    try:
        services.runs.put_content(run, "reply", call(run, asked, prompt, request.steps, services))
    except PASSING as error:
        seconds = wait_before_retry(error, attempt=request.attempt, seconds_left=run.deadline - services.clock.now())
        if seconds is None:
            raise last_failure(error) from error
        return CallModelOutput(outcome=CallOutcome.RETRY, wait_seconds=seconds)
    return CallModelOutput(outcome=CallOutcome.COMPLETE)


handler = step(call_model)
