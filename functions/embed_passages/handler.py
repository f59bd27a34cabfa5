"""EmbedPassages: turn a document's passages into vectors."""

import msgspec

from plinth.contracts import EmbedPassagesInput, EmbedPassagesOutput
from plinth.contracts.memory import Passage
from plinth.runtime import step
from plinth.wiring import Services


def embed_passages(request: EmbedPassagesInput, services: Services) -> EmbedPassagesOutput:
    """Keep one vector per passage, in the passages' order."""
    document = request.document
    passages = msgspec.json.decode(services.work.get(document, "passages"), type=tuple[Passage, ...])
    vectors = services.embedder.embed([passage.text for passage in passages])
    services.work.put(document, "vectors", msgspec.msgpack.encode(vectors))
    return EmbedPassagesOutput(model_id=services.embedder.model_id, embedded=len(vectors))


handler = step(embed_passages)
