"""What a tool of ours works with: the documents that the caller may see, and the facts of the caller's own."""

from plinth.contracts.conversations import remembering
from plinth.contracts.memory import StoredPassage
from plinth.contracts.runs import RunRequest
from plinth.runtime.provenance import documents_before
from plinth.runtime.retrieval import scope_of, search
from plinth.runtime.tool_calls import ToolRun
from plinth.tools.tool import Surroundings, ToolFailedError


def own_surroundings(making: ToolRun, asked: RunRequest) -> Surroundings:
    """Return what a call may reach inside, all of it within the scope of the run's caller."""
    run, services = making.run, making.services

    def find(words: str, limit: int) -> tuple[StoredPassage, ...]:
        index = services.documents.corpus(run.tenant).indexes.live
        return search(scope_of(run, asked), words, services, limit=limit, index=index)[0]

    def keep_fact(text: str) -> None:
        if making.given_up.is_set():
            raise ToolFailedError("nobody waits for this call any more")
        documents = documents_before(run, services, turn=making.turn)
        services.facts.keep(remembering(run, asked), asked.user, text, documents=documents, labels=asked.labels)

    return Surroundings(now=services.clock.now(), search=find, keep_fact=keep_fact)
