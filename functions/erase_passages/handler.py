"""ErasePassages: remove every passage of a deleted document from memory."""

from plinth.contracts import ErasePassagesInput, ErasePassagesOutput
from plinth.runtime import step
from plinth.wiring import Services


def erase_passages(request: ErasePassagesInput, services: Services) -> ErasePassagesOutput:
    """Remove what is as old as the deletion or older: a newer upload is never touched."""
    indexes = services.documents.corpus(request.document.tenant).indexes.all
    return ErasePassagesOutput(
        removed=sum(services.memory.named(index).remove_through(request.document) for index in indexes)
    )


handler = step(erase_passages)
