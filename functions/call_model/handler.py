"""CallModel: ask the route's next model and stream its text into the run log, at a price known beforehand."""

from plinth.contracts import CallModelInput, CallModelOutput
from plinth.runtime import step
from plinth.runtime.model_calls import call_route
from plinth.runtime.snapshots import MODEL_CALLS, import_before_snapshot
from plinth.wiring import Services


def call_model(request: CallModelInput, services: Services) -> CallModelOutput:
    """Make one call. A failure is a result: the next model, a wait, or the end, which only the machine carries out."""
    return call_route(request, services)


handler = step(call_model)
import_before_snapshot(MODEL_CALLS)
