"""What is retrieved for words: the passages nearest to them by meaning and by words, of live versions only."""

from plinth.contracts.memory import StoredPassage
from plinth.contracts.tenant import Tenant
from plinth.memory.liveness import keep_live
from plinth.ports.documents import Vector
from plinth.wiring import Services

CANDIDATES = 24


def search(tenant: Tenant, words: str, services: Services, *, limit: int) -> tuple[tuple[StoredPassage, ...], Vector]:
    """Return at most `limit` passages of the tenant, the best first, and the vector of the words."""
    (vector,) = services.embedder.embed([words])
    services.meter.searched()
    hits = services.memory.search(tenant, words, vector, limit=CANDIDATES)
    live = services.documents.live_generations(tenant, {hit.document_id for hit in hits})
    return keep_live(hits, live, limit=limit), vector
