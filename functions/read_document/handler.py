"""ReadDocument: fetch one version of a document and make text of it."""

import msgspec

from plinth.contracts import ReadDocumentInput, ReadDocumentOutput
from plinth.runtime import step
from plinth.wiring import Services


def read_document(request: ReadDocumentInput, services: Services) -> ReadDocumentOutput:
    """Parse the version unless a newer one or a deletion is known; a file that can't be read is refused by reason."""
    document = request.document
    if not services.documents.begin(document):
        return ReadDocumentOutput(current=False)
    parsed = services.parser.parse(document.name, services.sources.fetch(document))
    services.work.put(document, "text", msgspec.json.encode(parsed))
    return ReadDocumentOutput(current=True, characters=sum(len(section.text) for section in parsed.sections))


handler = step(read_document)
