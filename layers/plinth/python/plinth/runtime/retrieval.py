"""What is retrieved for words: the passages nearest to them by meaning and by words, of live versions only."""

from plinth.contracts.memory import SearchScope, StoredPassage
from plinth.contracts.runs import Run, RunRequest
from plinth.memory.liveness import keep_live
from plinth.ports.documents import Vector
from plinth.wiring import Services

CANDIDATES = 24


def scope_of(run: Run, asked: RunRequest) -> SearchScope:
    """Return what the run may find: what its caller may see, within its filter."""
    return SearchScope(tenant=run.tenant, held=asked.labels, metadata=asked.metadata)


def search(
    scope: SearchScope, words: str, services: Services, *, limit: int
) -> tuple[tuple[StoredPassage, ...], Vector]:
    """Return at most `limit` passages of the scope, the best first, and the vector of the words."""
    (vector,) = services.embedder.embed([words])
    services.meter.searched()
    hits = services.memory.search(scope, words, vector, limit=CANDIDATES)
    live = services.documents.live_generations(scope.tenant, {hit.document_id for hit in hits})
    return keep_live(hits, live, limit=limit), vector
