"""EraseObjects: remove objects with all their versions, for whoever is being erased."""

from plinth.contracts import EraseObjectsInput, EraseObjectsOutput
from plinth.runtime import step
from plinth.runtime.erasures import erase_pages
from plinth.wiring import Services


def erase_objects(request: EraseObjectsInput, services: Services) -> EraseObjectsOutput:
    """Take some pages; the machine calls again until there are no more."""
    done = erase_pages(request.erasure_id, "EraseObjects", services.erasing.objects, services)
    return EraseObjectsOutput(done=done)


handler = step(erase_objects)
