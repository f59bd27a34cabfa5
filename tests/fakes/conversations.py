"""Conversations in memory."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from plinth.contracts.conversations import Conversation, ModelSummary
from plinth.contracts.runs import Run, Turn
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError, RunSupersededError
from plinth.ports.clock import Clock


class FakeConversations:
    """`Conversations`: turns by run id, which is ordered by time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turns: defaultdict[tuple[Tenant, str, str], dict[str, tuple[Run, Turn]]] = defaultdict(dict)
        self._summaries: defaultdict[tuple[Tenant, str, str], dict[frozenset[str], ModelSummary]] = defaultdict(dict)

    def recent(self, tenant: Tenant, user: str, conversation_id: str, *, limit: int) -> list[Turn]:
        turns = sorted(self._turns[tenant, user, conversation_id].items())
        return [turn for _, (run, turn) in turns if run.expires_at > self._clock.now()][-limit:]

    def append(self, run: Run, user: str, conversation_id: str, turn: Turn) -> None:
        turns = self._turns[run.tenant, user, conversation_id]
        if run.id in turns and turns[run.id][0].epoch > run.epoch:
            raise RunSupersededError(f"a later execution owns run {run.id}")
        turns[run.id] = (run, replace(turn, run_id=run.id, expires_at=run.expires_at))

    def summary(self, tenant: Tenant, user: str, conversation_id: str, *, labels: Sequence[str]) -> ModelSummary | None:
        found = self._summaries[tenant, user, conversation_id].get(frozenset(labels))
        return found if found and found.expires_at > self._clock.now() else None

    def keep_summary(
        self, tenant: Tenant, user: str, conversation_id: str, summary: ModelSummary, *, made_of: Sequence[Turn]
    ) -> bool:
        here = self.summary(tenant, user, conversation_id, labels=summary.labels)
        turns = self._turns[tenant, user, conversation_id]
        if summary.follows != (here.by if here else "") or not all(turn.run_id in turns for turn in made_of):
            return False
        self._summaries[tenant, user, conversation_id][frozenset(summary.labels)] = summary
        return True

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
        self._summaries.pop((tenant, user, conversation_id), None)
        return len(self._turns.pop((tenant, user, conversation_id)))

    def forget(self, tenant: Tenant, document: str) -> None:
        """Do what the erasure of a document does."""
        for (owner, *_), turns in self._turns.items():
            for run_id in [name for name, (_, turn) in turns.items() if owner == tenant and document in turn.documents]:
                del turns[run_id]
        for (owner, *_), summaries in self._summaries.items():
            gone = [labels for labels, each in summaries.items() if owner == tenant and document in each.documents]
            for labels in gone:
                del summaries[labels]
