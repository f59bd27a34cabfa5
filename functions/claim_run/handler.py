"""ClaimRun: make this execution the one that works on the run, from where the one before it came to."""

from plinth.chain.executions import on_execution
from plinth.contracts import ClaimRunInput, ClaimRunOutput
from plinth.runtime import step
from plinth.runtime.resuming import resumed
from plinth.wiring import Services


def claim_run(request: ClaimRunInput, services: Services) -> ClaimRunOutput:
    """Claim the run by a conditional write; a second execution of the same run loses and ends silently."""
    run = on_execution(request.run, started_at=request.started_at or services.clock.now())
    if not services.executions.claim(run, owner=request.owner):
        return ClaimRunOutput(claimed=False, run=run)
    if run.epoch == 1:
        return ClaimRunOutput(claimed=True, run=run)
    return ClaimRunOutput(claimed=True, run=run, continuation=resumed(run, services))


handler = step(claim_run)
