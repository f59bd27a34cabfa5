"""SplitDocument: cut a document's text into passages."""

import msgspec

from plinth.contracts import SplitDocumentInput, SplitDocumentOutput
from plinth.contracts.memory import ParsedDocument
from plinth.errors import DocumentRefusedError
from plinth.memory.context_windows import RoomLeft
from plinth.memory.splitting import MAX_PASSAGES
from plinth.memory.splitting import split_document as split
from plinth.runtime import step
from plinth.wiring import Services


def split_document(request: SplitDocumentInput, services: Services) -> SplitDocumentOutput:
    """Keep the passages, which the embedding model reads whole; of one document as many as one call can embed."""
    document = request.document
    parsed = msgspec.json.decode(services.work.get(document, "text"), type=ParsedDocument)
    with_contexts, counter = bool(parsed.source.contexts.model), services.token_counter
    passages = split(parsed, RoomLeft(counter=counter) if with_contexts else counter)
    if len(passages) > MAX_PASSAGES:
        message = f"the document makes {len(passages)} passages; split it into files of at most {MAX_PASSAGES}"
        raise DocumentRefusedError("too_long", message)
    services.work.put(document, "split" if with_contexts else "passages", msgspec.json.encode(passages))
    tokens = sum(each.tokens for each in passages)
    return SplitDocumentOutput(passages=len(passages), tokens=tokens, with_contexts=with_contexts)


handler = step(split_document)
