"""WriteContexts: have a model place the passages of one window in their document."""

from plinth.contracts import WriteContextsInput, WriteContextsOutput
from plinth.runtime import step
from plinth.runtime.contexts import write
from plinth.runtime.snapshots import MODEL_CALLS, import_before_snapshot
from plinth.wiring import Services


def write_contexts(request: WriteContextsInput, services: Services) -> WriteContextsOutput:
    """Keep what the model wrote with the version; a window whose replies are none stays without contexts."""
    return write(request, services)


handler = step(write_contexts)
import_before_snapshot(MODEL_CALLS)
