"""Which documents a run's text may rest on, cited or not: an erasure of any of them takes what was written, too."""

from plinth.contracts.runs import Run, Turn
from plinth.errors import ContentMissingError
from plinth.runtime.turns import numbered_passages
from plinth.wiring import Services


def documents_before(run: Run, services: Services, *, turn: int) -> tuple[str, ...]:
    """Return the ids of the documents whose text the model had before it in this turn, by way of history too."""
    passages = {passage.document_id for passage in numbered_passages(run, services, turn=turn)}
    try:
        turns = services.runs.get_content(run, "turns", tuple[Turn, ...])
    except ContentMissingError:
        turns = ()
    return tuple(sorted(passages.union(*(each.documents for each in turns))))
