"""Where turns of a conversation are kept: one item per run, in the order in which the runs were accepted."""

from urllib.parse import quote

import msgspec

from plinth.adapters.dynamodb_items import packed, row, unpacked
from plinth.adapters.dynamodb_table import ConditionFailedError, Put, Table
from plinth.contracts.runs import Run, Turn
from plinth.contracts.tenant import Tenant
from plinth.errors import RunSupersededError
from plinth.ports.clock import Clock


class _TurnRow(msgspec.Struct):
    body: bytes
    expires_at: int


class DynamoConversations:
    """`Conversations` in one table; a turn is kept as long as its run."""

    def __init__(self, *, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def recent(self, tenant: Tenant, user: str, conversation_id: str, *, limit: int) -> list[Turn]:
        """Return the last turns that are still kept, oldest first."""
        now = self._clock.now()
        turns: list[Turn] = []
        for found in self._table.query(
            _pk(tenant, user, conversation_id), first="TURN#", last="TURN#~", page_size=limit, newest_first=True
        ):
            stored = row(found, _TurnRow)
            if len(turns) == limit:
                break
            if stored.expires_at > now:
                turns.append(unpacked(stored.body, Turn))
        return turns[::-1]

    def append(self, run: Run, user: str, conversation_id: str, turn: Turn) -> None:
        """Keep the turn under its run's id, which is ordered by time and the same in every retry."""
        kept = Put(
            key=(_pk(run.tenant, user, conversation_id), f"TURN#{run.id}"),
            item={
                "epoch": run.epoch,
                "body": packed(turn),
                "expires_at": run.expires_at,
            },
            condition="attribute_not_exists(pk) OR #epoch <= :epoch",
            values={":epoch": run.epoch},
        )
        try:
            self._table.write(kept)
        except ConditionFailedError as failed:
            raise RunSupersededError(f"a later execution owns run {run.id}") from failed


def _pk(tenant: Tenant, user: str, conversation_id: str) -> str:
    return f"{tenant.id}#{quote(user, safe='')}#{conversation_id}"
