"""SaveContinuation: hand the run over to a next execution, which has the time for what comes, or a person's word."""

from plinth.contracts import SaveContinuationInput, SaveContinuationOutput
from plinth.contracts.executions import ResumeAt
from plinth.runtime import step
from plinth.runtime.approving import ask_person
from plinth.runtime.handing_over import hand_over
from plinth.wiring import Services


def save_continuation(request: SaveContinuationInput, services: Services) -> SaveContinuationOutput:
    """Keep what the next execution goes on with, give the run up to it, and start it: the sweep does so otherwise.

    Before tools that a person must approve none is started: the decision does that, or the end of the time for it.
    """
    if request.continuation.resume_at is ResumeAt.RUN_TOOLS:
        paused = ask_person(request.run, request.continuation, services)
        if paused is not None:
            return SaveContinuationOutput(epoch=paused.epoch)
    following = hand_over(request.run, request.continuation, services)
    services.machines.start_answer(following, machine=request.machine)
    return SaveContinuationOutput(epoch=following.epoch)


handler = step(save_continuation)
