"""Conversations in memory."""

from collections import defaultdict

from plinth.contracts.conversations import Conversation
from plinth.contracts.runs import Run, Turn
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError, RunSupersededError
from plinth.ports.clock import Clock


class FakeConversations:
    """`Conversations`: turns by run id, which is ordered by time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turns: defaultdict[tuple[Tenant, str, str], dict[str, tuple[Run, Turn]]] = defaultdict(dict)

    def recent(self, tenant: Tenant, user: str, conversation_id: str, *, limit: int) -> list[Turn]:
        turns = sorted(self._turns[tenant, user, conversation_id].items())
        return [turn for _, (run, turn) in turns if run.expires_at > self._clock.now()][-limit:]

    def append(self, run: Run, user: str, conversation_id: str, turn: Turn) -> None:
        turns = self._turns[run.tenant, user, conversation_id]
        if run.id in turns and turns[run.id][0].epoch > run.epoch:
            raise RunSupersededError(f"a later execution owns run {run.id}")
        turns[run.id] = (run, turn)

    def list(self, tenant: Tenant, user: str) -> list[Conversation]:
        found = [
            Conversation(id=name, last_at=turn.at, expires_at=run.expires_at)
            for (owner, whose, name), turns in self._turns.items()
            if (owner, whose) == (tenant, user) and turns
            for run, turn in [max(turns.values(), key=lambda kept: kept[1].at)]
            if run.expires_at > self._clock.now()
        ]
        return sorted(found, key=lambda each: each.last_at, reverse=True)

    def erase(self, tenant: Tenant, user: str, conversation_id: str) -> int:
        if not self._turns[tenant, user, conversation_id]:
            raise NotFoundError(f"no conversation {conversation_id}")
        return len(self._turns.pop((tenant, user, conversation_id)))
