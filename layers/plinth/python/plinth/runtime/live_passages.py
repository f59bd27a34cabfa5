"""What an index holds of a document's live version; apart from the embedder, which a step that plans does not load."""

from collections.abc import Sequence

from plinth.contracts.memory import DocumentVersion, Passage
from plinth.memory.naming import of_generation
from plinth.ports.documents import Vector
from plinth.wiring import Services


def live_passages(document: DocumentVersion, index: str, services: Services) -> Sequence[tuple[Passage, Vector]]:
    """Return the passages of the document's live version with their vectors; none where it has no such version."""
    live = services.documents.live_generations(document.tenant, [document.document_id]).get(document.document_id)
    return services.memory.named(index).read(of_generation(document, live)).passages if live else ()
