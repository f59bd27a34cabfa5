"""IndexPassages: write passages and vectors into memory, unseen until they are published."""

import msgspec

from plinth.contracts import IndexPassagesInput, IndexPassagesOutput
from plinth.contracts.ingesting import Vectors
from plinth.contracts.memory import ParsedDocument, Passage
from plinth.memory.naming import text_hash
from plinth.runtime import step
from plinth.wiring import Services


def index_passages(request: IndexPassagesInput, services: Services) -> IndexPassagesOutput:
    """Index every passage under its natural key: a retry writes the same ones again."""
    document = request.document
    parsed = msgspec.json.decode(services.work.get(document, "text"), type=ParsedDocument)
    passages = msgspec.json.decode(services.work.get(document, "passages"), type=tuple[Passage, ...])
    vectors = msgspec.msgpack.decode(services.work.get(document, "vectors"), type=Vectors).by_text
    embedded = [(passage, vectors[text_hash(passage.in_context)]) for passage in passages]
    indexed = services.memory.index(document, parsed.title, embedded, labels=parsed.source.labels)
    return IndexPassagesOutput(indexed=indexed)


handler = step(index_passages)
