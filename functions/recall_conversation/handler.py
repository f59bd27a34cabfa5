"""RecallConversation: fetch what was said before in this conversation."""

from plinth.chain.caching import conversation_digest
from plinth.chain.catalogue import model
from plinth.contracts import RecallConversationInput, RecallConversationOutput
from plinth.runtime import step
from plinth.wiring import Services


def recall_conversation(request: RecallConversationInput, services: Services) -> RecallConversationOutput:
    """Keep the last turns with the run; a run outside a conversation has none."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    if asked.conversation_id is None:
        return RecallConversationOutput(turns=0, digest="")
    limit = model(asked.model).history_turns
    turns = services.conversations.recent(run.tenant, asked.user, asked.conversation_id, limit=limit)
    services.runs.put_content(run, "turns", turns)
    return RecallConversationOutput(turns=len(turns), digest=conversation_digest(turns))


handler = step(recall_conversation)
