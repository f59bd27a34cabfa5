"""RecallConversation: fetch what was said before in this conversation."""

from plinth.chain.caching import conversation_digest
from plinth.contracts import RecallConversationInput, RecallConversationOutput
from plinth.runtime import step
from plinth.runtime.facts import known_facts
from plinth.runtime.remembering import memory_of
from plinth.wiring import Services


def recall_conversation(request: RecallConversationInput, services: Services) -> RecallConversationOutput:
    """Keep the last turns with the run, and what is told of those before; a run outside a conversation has none."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    if asked.conversation_id is None:
        return RecallConversationOutput(turns=0, digest="")
    told = memory_of(run, asked, services).told
    services.runs.put_content(run, "turns", told.turns)
    services.runs.put_content(run, "summary", told.older)
    digest = conversation_digest(told.turns, older=told.older.text, facts=known_facts(run, asked, services))
    last_model = told.turns[-1].model if told.turns else ""
    due = bool(asked.summary_model and told.leaving)
    return RecallConversationOutput(turns=len(told.turns), digest=digest, last_model=last_model, summary_due=due)


handler = step(recall_conversation)
