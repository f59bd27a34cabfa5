"""RemovePassages: take back what a failed try has left in memory."""

from plinth.contracts import RemovePassagesInput, RemovePassagesOutput
from plinth.runtime import step
from plinth.wiring import Services


def remove_passages(request: RemovePassagesInput, services: Services) -> RemovePassagesOutput:
    """Remove this try's passages, or where it went live before it failed, those that it replaced.

    It comes after the refusal: from then on the try can't go live any more.
    """
    document = request.document
    if services.documents.is_live(document):
        return RemovePassagesOutput(removed=services.memory.remove_older(document))
    return RemovePassagesOutput(removed=services.memory.remove_this(document))


handler = step(remove_passages)
