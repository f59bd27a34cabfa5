"""RemovePassages: take back what a failed try has left in memory."""

from plinth.contracts import RemovePassagesInput, RemovePassagesOutput
from plinth.runtime import step
from plinth.wiring import Services


def remove_passages(request: RemovePassagesInput, services: Services) -> RemovePassagesOutput:
    """Remove this try's passages, or where it went live before it failed, those that it replaced.

    It comes after the refusal: from then on the try can't go live any more.
    """
    document = request.document
    is_live = services.documents.is_live(document)
    removed = 0
    for index in services.documents.corpus(document.tenant).indexes.all:
        memory = services.memory.named(index)
        removed += memory.remove_older(document) if is_live else memory.remove_this(document)
    return RemovePassagesOutput(removed=removed)


handler = step(remove_passages)
