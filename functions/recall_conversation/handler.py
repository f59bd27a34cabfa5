"""RecallConversation: fetch what was said before in this conversation."""

from plinth.chain.caching import conversation_digest
from plinth.chain.routing import route_of
from plinth.contracts import RecallConversationInput, RecallConversationOutput
from plinth.runtime import step
from plinth.wiring import Services


def recall_conversation(request: RecallConversationInput, services: Services) -> RecallConversationOutput:
    """Keep the last turns with the run; a run outside a conversation has none."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    if asked.conversation_id is None:
        return RecallConversationOutput(turns=0, digest="")
    limit = route_of(asked).history_turns
    recent = services.conversations.recent(run.tenant, asked.user, asked.conversation_id, limit=limit)
    turns = tuple(turn for turn in recent if set(turn.labels) <= set(asked.labels))
    services.runs.put_content(run, "turns", turns)
    last_model = turns[-1].model if turns else ""
    return RecallConversationOutput(turns=len(turns), digest=conversation_digest(turns), last_model=last_model)


handler = step(recall_conversation)
