"""RetrieveContext: find the stored passages nearest to the question."""

from plinth.contracts import RetrieveContextInput, RetrieveContextOutput
from plinth.memory.liveness import keep_live
from plinth.runtime import step
from plinth.wiring import Services

CANDIDATES = 24
PASSAGES = 8


def retrieve_context(request: RetrieveContextInput, services: Services) -> RetrieveContextOutput:
    """Search by meaning and by words within the caller's tenant; keep only what the document rows call live."""
    run = request.run
    question = services.runs.get(run.tenant, run.id).request.question
    corpus_version = services.documents.corpus_version(run.tenant)
    (vector,) = services.embedder.embed([question])
    hits = services.memory.search(run.tenant, question, vector, limit=CANDIDATES)
    live = services.documents.live_generations(run.tenant, {hit.document_id for hit in hits})
    passages = keep_live(hits, live, limit=PASSAGES)
    services.runs.put_content(run, "passages", passages)
    return RetrieveContextOutput(passages=len(passages), corpus_version=corpus_version)


handler = step(retrieve_context)
