"""ClaimRun: make this execution the one that works on the run."""

from plinth.contracts import ClaimRunInput, ClaimRunOutput
from plinth.runtime import step
from plinth.wiring import Services


def claim_run(request: ClaimRunInput, services: Services) -> ClaimRunOutput:
    """Claim the run by a conditional write; a second execution of the same run loses and ends silently."""
    return ClaimRunOutput(claimed=services.runs.claim(request.run, owner=request.owner))


handler = step(claim_run)
