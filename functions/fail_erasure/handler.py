"""FailErasure: note that an erasure could not be finished, and tell somebody; its target stays hidden."""

from dataclasses import replace

from plinth.contracts import FailErasureInput, FailErasureOutput
from plinth.contracts.erasing import ErasureState
from plinth.runtime import step
from plinth.wiring import Services


def fail_erasure(request: FailErasureInput, services: Services) -> FailErasureOutput:
    """Keep where it stopped, so that it can be started again, and queue its id."""
    erasure = services.erasing.erasures.get(request.erasure_id)
    failed = services.erasing.erasures.advance(replace(erasure, state=ErasureState.FAILED))
    services.erasing.failed.send(request.erasure_id, error=request.error)
    return FailErasureOutput(state=failed.state)


handler = step(fail_erasure)
