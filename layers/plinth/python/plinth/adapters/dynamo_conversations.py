"""Where turns of a conversation are kept: one item per run, in the order in which the runs were accepted."""

from operator import attrgetter
from urllib.parse import quote

import msgspec

from plinth.adapters.dynamo_rows import Rows, key_of
from plinth.adapters.dynamo_users import user_pk
from plinth.adapters.dynamodb_items import packed, row, unpacked
from plinth.adapters.dynamodb_table import ConditionFailedError, Put, Table, Update
from plinth.contracts.conversations import Conversation
from plinth.contracts.runs import Run, Turn
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError, RunSupersededError
from plinth.ports.clock import Clock

_HEAD = "CONVERSATION#"


class _TurnRow(msgspec.Struct):
    body: bytes
    expires_at: int


class _HeadRow(msgspec.Struct):
    sk: str
    last_at: float
    expires_at: int

    @property
    def conversation(self) -> Conversation:
        return Conversation(id=self.sk.removeprefix(_HEAD), last_at=self.last_at, expires_at=self.expires_at)


class DynamoConversations:
    """`Conversations` in one table; a turn is kept as long as its run. Row CONVERSATION#<id> lists one at its user."""

    def __init__(self, *, table: Table, rows: Rows, clock: Clock) -> None:
        self._table = table
        self._rows = rows
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
        head = Update(
            key=(user_pk(run.tenant, user), f"CONVERSATION#{conversation_id}"),
            change="SET #last_at = :at, #expires_at = :expires_at",
            values={":at": turn.at, ":expires_at": run.expires_at},
        )
        try:
            self._table.transact(kept, head)
        except ConditionFailedError as failed:
            raise RunSupersededError(f"a later execution owns run {run.id}") from failed

    def list(self, tenant: Tenant, user: str) -> list[Conversation]:
        """Return the conversations whose last turn has not expired."""
        now = self._clock.now()
        found = self._table.query(user_pk(tenant, user), first=_HEAD, last=f"{_HEAD}~")
        heads = [row(each, _HeadRow).conversation for each in found]
        return sorted((each for each in heads if each.expires_at > now), key=attrgetter("last_at"), reverse=True)

    def erase(self, tenant: Tenant, user: str, conversation_id: str) -> int:
        """Delete the turns, then the row that lists the conversation: what fails in between can be repeated."""
        pk, head = _pk(tenant, user, conversation_id), (user_pk(tenant, user), f"{_HEAD}{conversation_id}")
        keys = [key_of(each) for each in self._rows.partition(pk)]
        if not keys and self._table.get(head) is None:
            raise NotFoundError(f"no conversation {conversation_id}")
        self._rows.delete([*keys, head])
        return len(keys)


def _pk(tenant: Tenant, user: str, conversation_id: str) -> str:
    return f"{tenant.id}#{quote(user, safe='')}#{conversation_id}"
