"""EmbedPassages: turn a document's passages into vectors, each text once."""

import msgspec

from plinth.contracts import EmbedPassagesInput, EmbedPassagesOutput
from plinth.contracts.ingesting import Vectors
from plinth.contracts.memory import Passage
from plinth.memory.index_names import by_model
from plinth.memory.naming import text_hash
from plinth.runtime import step
from plinth.runtime.context_placing import passages_in_context
from plinth.runtime.indexing import embedded_for
from plinth.wiring import Services


def embed_passages(request: EmbedPassagesInput, services: Services) -> EmbedPassagesOutput:
    """Keep a vector per text in its context, by model; what the live version has too is taken from memory."""
    document = request.document
    if request.with_contexts:
        services.work.put(document, "passages", msgspec.json.encode(passages_in_context(document, services)))
    passages = msgspec.json.decode(services.work.get(document, "passages"), type=tuple[Passage, ...])
    texts = list(dict.fromkeys(passage.searched for passage in passages))
    made = {
        model: embedded_for(document, texts, indexes, services)
        for model, indexes in by_model(services.documents.corpus(document.tenant).indexes).items()
    }
    vectors = {
        model: {text_hash(text): list(vector) for text, vector in each.vectors.items()} for model, each in made.items()
    }
    services.work.put(document, "vectors", msgspec.msgpack.encode(Vectors(by_model=vectors)))
    embedded = sum(each.embedded for each in made.values())
    return EmbedPassagesOutput(
        embedded=embedded,
        reused=len(texts) * len(made) - embedded,
        in_context=sum(1 for each in passages if each.context),
        tokens=sum(each.tokens for each in passages),
    )


handler = step(embed_passages)
