"""Which facts a run may rest on: those of its asker, in a conversation, as far as the asker's labels reach."""

from plinth.contracts.conversations import Fact
from plinth.contracts.runs import Run, RunRequest
from plinth.errors import ContentMissingError
from plinth.ports.documents import Vector
from plinth.wiring import Services

FACTS = 5
"""Told to a model at most: those nearest to the question."""


def known_facts(run: Run, asked: RunRequest, services: Services) -> list[str]:
    """Return the ids of all facts that may be told, in order: an answer holds for them alone."""
    return sorted(fact.id for fact in services.facts.all(run.tenant, asked.user) if _may_tell(fact, asked))


def keep_nearest_facts(run: Run, asked: RunRequest, vector: Vector, services: Services) -> None:
    """Keep the facts nearest to the question with the run; one outside a conversation has none."""
    if asked.conversation_id is None:
        return
    nearest = services.facts.nearest(run.tenant, asked.user, vector, limit=4 * FACTS)
    told = tuple(fact for fact in nearest if _may_tell(fact, asked))[:FACTS]
    if told:
        services.runs.put_content(run, "facts", told)


def told_facts(run: Run, services: Services) -> tuple[Fact, ...]:
    """Return the facts that were kept with the run."""
    try:
        return services.runs.get_content(run, "facts", tuple[Fact, ...])
    except ContentMissingError:
        return ()


def _may_tell(fact: Fact, asked: RunRequest) -> bool:
    return set(fact.labels) <= set(asked.labels)
