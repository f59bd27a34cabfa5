"""RecallConversation: fetch what was said before in this conversation."""

from plinth.chain.caching import conversation_digest
from plinth.chain.recalling import OLDER_TURNS, summary_of
from plinth.chain.routing import route_of
from plinth.contracts import RecallConversationInput, RecallConversationOutput
from plinth.runtime import step
from plinth.runtime.facts import known_facts
from plinth.wiring import Services


def recall_conversation(request: RecallConversationInput, services: Services) -> RecallConversationOutput:
    """Keep the last turns with the run, and a summary of those before; a run outside a conversation has none."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    if asked.conversation_id is None:
        return RecallConversationOutput(turns=0, digest="")
    route = route_of(asked)
    limit = route.history_turns + OLDER_TURNS
    recent = services.conversations.recent(run.tenant, asked.user, asked.conversation_id, limit=limit)
    seen = tuple(turn for turn in recent if set(turn.labels) <= set(asked.labels))
    older, turns = seen[: -route.history_turns], seen[-route.history_turns :]
    summary = summary_of(older, characters=route.passage_characters // 6)
    services.runs.put_content(run, "turns", turns)
    services.runs.put_content(run, "summary", summary)
    digest = conversation_digest(turns, older=summary.text, facts=known_facts(run, asked, services))
    last_model = turns[-1].model if turns else ""
    return RecallConversationOutput(turns=len(turns), digest=digest, last_model=last_model)


handler = step(recall_conversation)
