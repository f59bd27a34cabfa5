"""SaveContinuation: hand the run over to a next execution, which has the time for what comes."""

from plinth.contracts import SaveContinuationInput, SaveContinuationOutput
from plinth.runtime import step
from plinth.runtime.resuming import hand_over
from plinth.wiring import Services


def save_continuation(request: SaveContinuationInput, services: Services) -> SaveContinuationOutput:
    """Keep what the next execution goes on with, give the run up to it, and start it: the sweep does so otherwise."""
    following = hand_over(request.run, request.continuation, services)
    services.machines.start_answer(following, machine=request.machine)
    return SaveContinuationOutput(epoch=following.epoch)


handler = step(save_continuation)
