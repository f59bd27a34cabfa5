"""ReadDocument: fetch one version of a document and make text of it."""

from dataclasses import replace

import msgspec

from plinth.contracts import ReadDocumentInput, ReadDocumentOutput
from plinth.memory.tagging import source_facts
from plinth.runtime import step
from plinth.wiring import Services


def read_document(request: ReadDocumentInput, services: Services) -> ReadDocumentOutput:
    """Parse the version; a file that can't be read is refused by reason. Nothing but the two objects is touched."""
    document = request.document
    source = services.sources.fetch(document)
    parsed = replace(services.parser.parse(document.name, source), source=source_facts(source))
    services.work.put(document, "text", msgspec.json.encode(parsed))
    return ReadDocumentOutput(characters=sum(len(section.text) for section in parsed.sections))


handler = step(read_document)
