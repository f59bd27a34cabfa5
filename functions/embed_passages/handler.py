"""EmbedPassages: turn a document's passages into vectors, each text once."""

from dataclasses import replace

import msgspec

from plinth.contracts import EmbedPassagesInput, EmbedPassagesOutput
from plinth.contracts.ingesting import Vectors
from plinth.contracts.memory import DocumentVersion, Passage
from plinth.errors import TransientError
from plinth.memory.naming import text_hash
from plinth.runtime import step
from plinth.wiring import Services


def embed_passages(request: EmbedPassagesInput, services: Services) -> EmbedPassagesOutput:
    """Keep a vector per text; what the live version has too is taken from its own, as long as that is kept."""
    document, model_id = request.document, services.embedder.model_id
    passages = msgspec.json.decode(services.work.get(document, "passages"), type=tuple[Passage, ...])
    texts = {text_hash(passage.text): passage.text for passage in passages}
    live = _live_vectors(document, services)
    known = live.by_text if live and live.model_id == model_id else {}
    fresh = [key for key in texts if key not in known]
    made = dict(zip(fresh, services.embedder.embed([texts[key] for key in fresh]), strict=True)) if fresh else {}
    vectors = Vectors(model_id=model_id, by_text={key: made[key] if key in made else known[key] for key in texts})
    services.work.put(document, "vectors", msgspec.msgpack.encode(vectors))
    return EmbedPassagesOutput(model_id=model_id, embedded=len(made), reused=len(texts) - len(made))


def _live_vectors(document: DocumentVersion, services: Services) -> Vectors | None:
    """Return the live version's vectors; None where there are none, or none that can be had now."""
    try:
        live = services.documents.live_generations(document.tenant, [document.document_id])
        if document.document_id not in live:
            return None
        kept = services.work.get(replace(document, sequence=live[document.document_id]), "vectors")
        return msgspec.msgpack.decode(kept, type=Vectors)
    except TransientError:
        return None


handler = step(embed_passages)
