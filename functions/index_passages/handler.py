"""IndexPassages: write passages and vectors into memory, unseen until they are published."""

import msgspec

from plinth.contracts import IndexPassagesInput, IndexPassagesOutput
from plinth.contracts.ingesting import Vectors
from plinth.contracts.memory import ParsedDocument, Passage
from plinth.memory.index_names import by_model
from plinth.memory.naming import text_hash
from plinth.runtime import step
from plinth.wiring import Services


def index_passages(request: IndexPassagesInput, services: Services) -> IndexPassagesOutput:
    """Index every passage in each index that its vectors fit, under its natural key: a retry writes the same again."""
    document = request.document
    parsed = msgspec.json.decode(services.work.get(document, "text"), type=ParsedDocument)
    passages = msgspec.json.decode(services.work.get(document, "passages"), type=tuple[Passage, ...])
    vectors = msgspec.msgpack.decode(services.work.get(document, "vectors"), type=Vectors).by_model
    held = by_model(services.documents.corpus(document.tenant).indexes)
    indexes = [(index, vectors[model]) for model in held if model in vectors for index in held[model]]
    for index, by_text in indexes:
        embedded = [(passage, by_text[text_hash(passage.searched)]) for passage in passages]
        services.memory.named(index).index(document, parsed.title, embedded, labels=parsed.source.labels)
    return IndexPassagesOutput(indexed=len(passages), indexes=tuple(index for index, _ in indexes))


handler = step(index_passages)
