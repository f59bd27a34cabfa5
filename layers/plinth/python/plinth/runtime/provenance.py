"""Which documents a run's text may rest on, cited or not: an erasure of any of them takes what was written, too."""

from plinth.chain.prompting import what_is_known
from plinth.contracts.conversations import Summary
from plinth.contracts.runs import Run, Turn
from plinth.errors import ContentMissingError
from plinth.runtime.facts import told_facts
from plinth.runtime.turns import numbered_passages
from plinth.wiring import Services


def documents_before(run: Run, services: Services, *, turn: int) -> tuple[str, ...]:
    """Return the ids of the documents whose text the model had before it in this turn, by way of history too."""
    passages = {passage.document_id for passage in numbered_passages(run, services, turn=turn)}
    try:
        turns = services.runs.get_content(run, "turns", tuple[Turn, ...])
    except ContentMissingError:
        turns = ()
    recalled = [each.documents for each in turns] + [each.documents for each in told_facts(run, services)]
    return tuple(sorted(passages.union(_summary(run, services).documents, *recalled)))


def known_of(run: Run, services: Services) -> str:
    """Return what the model is told beside passages and turns: facts of the user, and what was said earlier."""
    return what_is_known([fact.text for fact in told_facts(run, services)], _summary(run, services).text)


def _summary(run: Run, services: Services) -> Summary:
    try:
        return services.runs.get_content(run, "summary", Summary)
    except ContentMissingError:
        return Summary(text="")
