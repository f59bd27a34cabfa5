"""IndexPassages: write passages and vectors into memory, unseen until they are published."""

import msgspec

from plinth.contracts import IndexPassagesInput, IndexPassagesOutput
from plinth.contracts.memory import ParsedDocument, Passage
from plinth.runtime import step
from plinth.wiring import Services


def index_passages(request: IndexPassagesInput, services: Services) -> IndexPassagesOutput:
    """Index every passage under its natural key: a retry writes the same ones again."""
    document = request.document
    parsed = msgspec.json.decode(services.work.get(document, "text"), type=ParsedDocument)
    passages = msgspec.json.decode(services.work.get(document, "passages"), type=tuple[Passage, ...])
    vectors = msgspec.msgpack.decode(services.work.get(document, "vectors"), type=list[list[float]])
    indexed = services.memory.index(document, parsed.title, list(zip(passages, vectors, strict=True)))
    return IndexPassagesOutput(indexed=indexed)


handler = step(index_passages)
