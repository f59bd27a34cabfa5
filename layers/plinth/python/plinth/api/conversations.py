"""The routes of what is remembered of the caller: conversations and facts, to list, read and erase."""

import re
from dataclasses import dataclass

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from plinth.access.authentication import Caller
from plinth.api.exchange import CurrentExchange
from plinth.contracts.conversations import Conversation, Fact, ModelSummary
from plinth.contracts.runs import Turn
from plinth.errors import NotFoundError

MOST_TURNS = 200
_CONVERSATION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FACT_ID = re.compile(r"fact_[0-9a-f]{24}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationList:
    """The caller's conversations, the one with the latest answer first."""

    conversations: list[Conversation]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationTurns:
    """The last turns of a conversation, at most 200, oldest first, and what a model made of older ones, if one did."""

    id: str
    turns: list[Turn]
    summary: ModelSummary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactList:
    """What is remembered of the caller, the newest first."""

    facts: list[Fact]


def add_routes(resolver: APIGatewayRestResolver) -> None:
    """Add the routes of conversations and facts."""
    every, one, tags = "/v1/conversations", "/v1/conversations/<conversation>", ["conversations"]
    resolver.get(every, summary="List your conversations", tags=tags, operation_id="list_conversations")(
        list_conversations
    )
    resolver.get(one, summary="Read a conversation", tags=tags, operation_id="get_conversation")(get_conversation)
    resolver.delete(
        one, status_code=204, summary="Erase a conversation", tags=tags, operation_id="delete_conversation"
    )(delete_conversation)
    resolver.get("/v1/facts", summary="List what is remembered of you", tags=tags, operation_id="list_facts")(
        list_facts
    )
    resolver.delete("/v1/facts/<fact>", status_code=204, summary="Erase a fact", tags=tags, operation_id="delete_fact")(
        delete_fact
    )


def list_conversations(exchange: CurrentExchange) -> ConversationList:
    """Return the conversations of the key's user."""
    caller = exchange.caller
    return ConversationList(conversations=exchange.services.conversations.list(caller.tenant, caller.user))


def get_conversation(conversation: str, exchange: CurrentExchange) -> ConversationTurns:
    """Return the turns that the caller may see, and the summary for callers of the same access labels.

    A turn from an asker with more labels is left out. `summary` says which runs' turns it tells, and what it cost.
    """
    caller, conversations = exchange.caller, exchange.services.conversations
    found: list[Turn] = []
    if _CONVERSATION_ID.fullmatch(conversation):
        found = conversations.recent(caller.tenant, caller.user, conversation, limit=MOST_TURNS)
    if not found:
        raise NotFoundError(f"no conversation {conversation}")
    summary = conversations.summary(caller.tenant, caller.user, conversation, labels=caller.labels)
    seen = [turn for turn in found if _may_see(caller, turn.labels)]
    return ConversationTurns(id=conversation, turns=seen, summary=summary)


def delete_conversation(conversation: str, exchange: CurrentExchange) -> Response[None]:
    """Erase the turns and their summary. Their runs stay until they expire, or until their user is erased."""
    caller = exchange.caller
    if not _CONVERSATION_ID.fullmatch(conversation):
        raise NotFoundError(f"no conversation {conversation}")
    exchange.services.conversations.erase(caller.tenant, caller.user, conversation)
    return Response(status_code=204)


def list_facts(exchange: CurrentExchange) -> FactList:
    """Return the facts that later conversations of the caller may rest on."""
    caller = exchange.caller
    facts = exchange.services.facts.all(caller.tenant, caller.user)
    return FactList(facts=[fact for fact in facts if _may_see(caller, fact.labels)])


def delete_fact(fact: str, exchange: CurrentExchange) -> Response[None]:
    """Forget a fact."""
    caller = exchange.caller
    if not _FACT_ID.fullmatch(fact):
        raise NotFoundError(f"no fact {fact}")
    exchange.services.facts.erase(caller.tenant, caller.user, fact)
    return Response(status_code=204)


def _may_see(caller: Caller, labels: tuple[str, ...]) -> bool:
    return set(labels) <= set(caller.labels)
