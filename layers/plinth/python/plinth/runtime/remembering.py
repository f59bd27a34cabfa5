"""What is remembered of a run's conversation: read when it is asked, and again when its older turns are summed up."""

from dataclasses import dataclass

from plinth.chain.recalling import OLDER_TURNS, Recalled, recalled
from plinth.chain.routing import route_of
from plinth.contracts.conversations import ModelSummary
from plinth.contracts.runs import Run, RunRequest, Turn
from plinth.wiring import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The turns that the asker may see, oldest first, the summary of those before, and what is told of both."""

    seen: tuple[Turn, ...]
    summary: ModelSummary | None
    told: Recalled


def memory_of(run: Run, asked: RunRequest, services: Services) -> Memory:
    """Return what is known of the conversation, without what was said with more labels than the asker holds."""
    conversation, route = asked.conversation_id or "", route_of(asked)
    conversations = services.conversations
    summary = None
    if asked.summary_model:  # before the turns, so that none of them can be told by a later summary than this one
        summary = conversations.summary(run.tenant, asked.user, conversation, labels=asked.labels)
    recent = conversations.recent(run.tenant, asked.user, conversation, limit=route.history_turns + OLDER_TURNS)
    seen = tuple(turn for turn in recent if set(turn.labels) <= set(asked.labels))
    return Memory(seen=seen, summary=summary, told=recalled(seen, summary, route))
