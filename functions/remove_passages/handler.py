"""RemovePassages: take back what a version that failed to become live has left in memory."""

from plinth.contracts import RemovePassagesInput, RemovePassagesOutput
from plinth.runtime import step
from plinth.wiring import Services


def remove_passages(request: RemovePassagesInput, services: Services) -> RemovePassagesOutput:
    """Remove this version's passages, unless it went live before it failed."""
    document = request.document
    live = services.documents.live_generations(document.tenant, [document.document_id])
    if live.get(document.document_id) == document.sequence:
        return RemovePassagesOutput(removed=0)
    return RemovePassagesOutput(removed=services.memory.remove_this(document))


handler = step(remove_passages)
