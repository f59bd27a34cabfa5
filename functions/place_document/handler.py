"""PlaceDocument: put one file of an import into the bucket of documents."""

from plinth.contracts import PlaceDocumentInput, PlaceDocumentOutput
from plinth.runtime import step
from plinth.runtime.imports import place
from plinth.wiring import Services


def place_document(request: PlaceDocumentInput, services: Services) -> PlaceDocumentOutput:
    """Return at once: the machine waits for its task token, which the bucket's event gives back."""
    return PlaceDocumentOutput(placed=place(request, services))


handler = step(place_document)
