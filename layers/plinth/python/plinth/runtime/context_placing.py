"""How passages get the contexts that were written, each as much as the embedding model still reads."""

from plinth.contracts.memory import DocumentVersion, Passage
from plinth.memory.context_windows import placed
from plinth.runtime.context_work import Window, keys_of, plan_of, split_passages
from plinth.wiring import Services


def passages_in_context(document: DocumentVersion, services: Services) -> tuple[Passage, ...]:
    """Return the version's passages with all contexts that there are."""
    planned, passages = plan_of(document, services), split_passages(document, services)
    contexts = dict(planned.known)
    for number in range(len(planned.windows)):
        written = Window(document, planned, number, passages).kept(services)
        contexts |= written.contexts if written else {}
    return placed(passages, contexts, keys_of(planned, passages), services.token_counter)
