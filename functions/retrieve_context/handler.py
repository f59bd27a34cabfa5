"""RetrieveContext: find the stored passages nearest to the question."""

from plinth.chain.answerability import doubts
from plinth.chain.caching import question_vector
from plinth.chain.prompting import choose_passages
from plinth.chain.routing import route_of
from plinth.contracts import RetrieveContextInput, RetrieveContextOutput
from plinth.contracts.access import CachePolicy
from plinth.runtime import step
from plinth.runtime.facts import keep_nearest_facts
from plinth.runtime.retrieval import question_for_facts, scope_of, search
from plinth.wiring import Services

PASSAGES = 8


def retrieve_context(request: RetrieveContextInput, services: Services) -> RetrieveContextOutput:
    """Search by meaning and by words within the caller's tenant; keep what is live and fits the prompt."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    corpus = services.documents.corpus(run.tenant)
    index = corpus.indexes.live
    found, vector = search(scope_of(run, asked), asked.question, services, limit=PASSAGES, index=index)
    passages = choose_passages(found, characters=route_of(asked).passage_characters)
    services.runs.put_content(run, "passages", passages)
    keep_nearest_facts(run, asked, question_for_facts(asked, vector, services, index=index), services)
    if asked.cache is CachePolicy.SEMANTIC:
        model = services.embedder_of(index).model_id
        services.runs.put_content(run, "question_vector", question_vector(vector, model=model))
    missing = doubts(asked, found, corpus_version=corpus.version)
    if missing is not None:
        services.runs.put_content(run, "missing", missing)
    return RetrieveContextOutput(passages=len(passages), corpus_version=corpus.version, doubtful=missing is not None)


handler = step(retrieve_context)
