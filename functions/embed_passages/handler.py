"""EmbedPassages: turn a document's passages into vectors, each text once."""

import msgspec

from plinth.contracts import EmbedPassagesInput, EmbedPassagesOutput
from plinth.contracts.ingesting import Vectors
from plinth.contracts.memory import DocumentVersion, Passage
from plinth.memory.naming import text_hash
from plinth.ports.documents import Vector
from plinth.runtime import step
from plinth.wiring import Services


def embed_passages(request: EmbedPassagesInput, services: Services) -> EmbedPassagesOutput:
    """Keep a vector per text in its context; what the live version has too is taken from memory, however old."""
    document = request.document
    passages = msgspec.json.decode(services.work.get(document, "passages"), type=tuple[Passage, ...])
    texts = list(dict.fromkeys(passage.in_context for passage in passages))
    known = _live_vectors(document, services)
    fresh = [text for text in texts if text not in known]
    made = dict(zip(fresh, services.embedder.embed(fresh), strict=True)) if fresh else {}
    by_text = {text_hash(text): list(made[text] if text in made else known[text]) for text in texts}
    vectors = Vectors(model_id=services.embedder.model_id, by_text=by_text)
    services.work.put(document, "vectors", msgspec.msgpack.encode(vectors))
    return EmbedPassagesOutput(model_id=vectors.model_id, embedded=len(made), reused=len(texts) - len(made))


def _live_vectors(document: DocumentVersion, services: Services) -> dict[str, Vector]:
    """Return the live version's vectors by text. An index holds the vectors of one model only."""
    live = services.documents.live_generations(document.tenant, [document.document_id])
    if document.document_id not in live:
        return {}
    return services.memory.vectors(document.tenant, document.document_id, live[document.document_id])


handler = step(embed_passages)
