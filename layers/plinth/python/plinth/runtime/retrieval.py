"""What is retrieved for words: the passages nearest to them by meaning and by words, of live versions only."""

from collections.abc import Callable
from functools import partial

from plinth.access.log_lines import logger_of
from plinth.contracts.memory import SearchScope, StoredPassage
from plinth.contracts.retrieval import Retrieval
from plinth.contracts.runs import Run, RunRequest
from plinth.contracts.tenant import Tenant
from plinth.errors import MemoryUnavailableError
from plinth.memory.choosing import above_floor, collapse, diverse, rescored, spans_around, with_neighbours
from plinth.memory.liveness import keep_live
from plinth.ports.documents import Vector
from plinth.wiring import Services

CANDIDATES = 24
_DEEPER = 16


def scope_of(run: Run, asked: RunRequest) -> SearchScope:
    """Return what the run may find: what its caller may see, within its filter."""
    return SearchScope(tenant=run.tenant, held=asked.labels, metadata=asked.metadata)


def search(
    scope: SearchScope, words: str, services: Services, *, limit: int, index: str
) -> tuple[tuple[StoredPassage, ...], Vector]:
    """Return at most `limit` passages of the scope, the best first, then their neighbours; and the vector of the words.

    `index` is the tenant's live one, read right before: none goes while such a search may last. What is searched
    exceeds what is kept: hits of versions that are not live, copies and crowds of one document go.
    """
    how = services.settings.retrieval
    memory = services.memory.named(index)
    (vector,) = services.embedder_of(index).embed([words])
    ranked_by = partial(memory.search, scope, words, vector, mix=how.mix)
    found = above_floor(_live_hits(scope.tenant, ranked_by, services, limit=limit), floor=how.floor)
    ranked = _reranked(collapse(found, per_document=how.per_document), words, how, services)
    chosen = diverse(ranked, diversity=how.diversity, limit=limit)
    near = memory.around(scope, spans_around(chosen, neighbours=how.neighbours))
    return with_neighbours(chosen, near), vector


def question_for_facts(asked: RunRequest, vector: Vector, services: Services, *, index: str) -> Vector:
    """Return the question's vector of the model that facts are kept with; `vector` is that of the index."""
    if asked.conversation_id is None or services.embedder_of(index) is services.embedder:
        return vector
    return services.embedder.embed([asked.question])[0]


def _live_hits(
    tenant: Tenant, ranked_by: Callable[..., list[StoredPassage]], services: Services, *, limit: int
) -> tuple[StoredPassage, ...]:
    """Return the candidates of live versions; where others took their places, search once more, far deeper.

    A large document leaves its passages of before in the index for a moment after it was replaced or deleted.
    """
    kept: tuple[StoredPassage, ...] = ()
    for depth in (CANDIDATES, CANDIDATES * _DEEPER):
        services.meter.searched()
        hits = ranked_by(limit=depth)
        live = services.documents.live_generations(tenant, {hit.document_id for hit in hits})
        kept = keep_live(hits, live, limit=CANDIDATES)
        if len(kept) >= limit or len(hits) < depth:
            break
    return kept


def _reranked(
    found: tuple[StoredPassage, ...], words: str, how: Retrieval, services: Services
) -> tuple[StoredPassage, ...]:
    """Return the passages as the endpoint ranks them; where it does not answer, as they were found."""
    if not how.rerank or not found:
        return found
    try:
        return rescored(found, services.reranker.scores(words, [each.searched for each in found]))
    except MemoryUnavailableError as error:
        logger_of("RetrieveContext").warning("not reranked", error=str(error))
        return found
