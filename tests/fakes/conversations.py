"""Conversations in memory."""

from collections import defaultdict

from plinth.contracts.runs import Run, Turn
from plinth.contracts.tenant import Tenant


class FakeConversations:
    """`Conversations`: turns by run id, which is ordered by time."""

    def __init__(self) -> None:
        self._turns: defaultdict[tuple[Tenant, str, str], dict[str, Turn]] = defaultdict(dict)

    def recent(self, tenant: Tenant, user: str, conversation_id: str, *, limit: int) -> list[Turn]:
        turns = sorted(self._turns[tenant, user, conversation_id].items())
        return [turn for _, turn in turns[-limit:]]

    def append(self, run: Run, user: str, conversation_id: str, turn: Turn) -> None:
        self._turns[run.tenant, user, conversation_id][run.id] = turn
