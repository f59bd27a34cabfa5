"""EraseIndex: remove passages from the search engine, for whoever is being erased."""

from plinth.contracts import EraseIndexInput, EraseIndexOutput
from plinth.runtime import step
from plinth.runtime.erasures import erase_pages
from plinth.wiring import Services


def erase_index(request: EraseIndexInput, services: Services) -> EraseIndexOutput:
    """Take some pages; the machine calls again until there are no more."""
    done = erase_pages(request.erasure_id, "EraseIndex", services.erasing.index, services)
    return EraseIndexOutput(done=done)


handler = step(erase_index)
