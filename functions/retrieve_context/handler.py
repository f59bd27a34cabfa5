"""RetrieveContext: find the stored passages nearest to the question."""

from plinth.chain.caching import question_vector
from plinth.contracts import RetrieveContextInput, RetrieveContextOutput
from plinth.contracts.access import CachePolicy
from plinth.runtime import step
from plinth.runtime.retrieval import search
from plinth.wiring import Services

PASSAGES = 8


def retrieve_context(request: RetrieveContextInput, services: Services) -> RetrieveContextOutput:
    """Search by meaning and by words within the caller's tenant; keep only what the document rows call live."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    corpus_version = services.documents.corpus_version(run.tenant)
    passages, vector = search(run.tenant, asked.question, services, limit=PASSAGES)
    services.runs.put_content(run, "passages", passages)
    if asked.cache is CachePolicy.SEMANTIC:
        services.runs.put_content(run, "question_vector", question_vector(vector, model=services.embedder.model_id))
    return RetrieveContextOutput(passages=len(passages), corpus_version=corpus_version)


handler = step(retrieve_context)
