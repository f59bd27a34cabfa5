"""Where turns of a conversation are kept: one item per run, in the order in which the runs were accepted."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from urllib.parse import quote

import msgspec

from plinth.adapters.dynamo_rows import Rows, key_of
from plinth.adapters.dynamo_users import user_pk
from plinth.adapters.dynamodb_items import packed, row, unpacked
from plinth.adapters.dynamodb_table import ConditionFailedError, Put, Table, Update
from plinth.contracts.conversations import Conversation, ModelSummary
from plinth.contracts.runs import Run, Turn
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError, RunSupersededError
from plinth.ports.clock import Clock

_HEAD, _TURN = "CONVERSATION#", "TURN#"


class _TurnRow(msgspec.Struct):
    sk: str
    body: bytes
    expires_at: int

    @property
    def turn(self) -> Turn:
        return replace(unpacked(self.body, Turn), run_id=self.sk.removeprefix(_TURN), expires_at=self.expires_at)


class _SummaryRow(msgspec.Struct):
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
    """`Conversations` in one table; a turn is kept as long as its run. Row CONVERSATION#<id> lists one at its user.

    Row SUMMARY#<labels> beside the turns TURN#<run> has what a model made of them for askers with just these labels.
    """

    def __init__(self, *, table: Table, rows: Rows, clock: Clock) -> None:
        self._table = table
        self._rows = rows
        self._clock = clock

    def recent(self, tenant: Tenant, user: str, conversation_id: str, *, limit: int) -> list[Turn]:
        """Return the last turns that are still kept, oldest first."""
        now = self._clock.now()
        turns: list[Turn] = []
        for found in self._table.query(
            _pk(tenant, user, conversation_id), first=_TURN, last=f"{_TURN}~", page_size=limit, newest_first=True
        ):
            stored = row(found, _TurnRow)
            if len(turns) == limit:
                break
            if stored.expires_at > now:
                turns.append(stored.turn)
        return turns[::-1]

    def append(self, run: Run, user: str, conversation_id: str, turn: Turn) -> None:
        """Keep the turn under its run's id, which is ordered by time and the same in every retry."""
        kept = Put(
            key=(_pk(run.tenant, user, conversation_id), f"{_TURN}{run.id}"),
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

    def summary(self, tenant: Tenant, user: str, conversation_id: str, *, labels: Sequence[str]) -> ModelSummary | None:
        """Return the summary that is still kept."""
        found = self._table.get((_pk(tenant, user, conversation_id), _summary_sk(labels)))
        stored = row(found, _SummaryRow) if found else None
        return unpacked(stored.body, ModelSummary) if stored and stored.expires_at > self._clock.now() else None

    def keep_summary(
        self, tenant: Tenant, user: str, conversation_id: str, summary: ModelSummary, *, made_of: Sequence[Turn]
    ) -> bool:
        """Write the row in one transaction with the turns, which must be there and stay as they are.

        So no summary outlives what an erasure takes: one that was written before its turns went is met by a next pass.
        """
        pk, absent = _pk(tenant, user, conversation_id), "attribute_not_exists(pk) OR #expires_at <= :now"
        kept = Put(
            key=(pk, _summary_sk(summary.labels)),
            item={"by": summary.by, "body": packed(summary), "expires_at": summary.expires_at},
            condition="#by = :old" if summary.follows else absent,
            values={":old": summary.follows} if summary.follows else {":now": self._clock.now()},
        )
        there = [
            Update(
                key=(pk, f"{_TURN}{turn.run_id}"),
                change="SET #expires_at = #expires_at",
                condition="attribute_exists(pk)",
            )
            for turn in made_of
        ]
        try:
            self._table.transact(kept, *there)
        except ConditionFailedError:
            return False
        return True

    def list(self, tenant: Tenant, user: str) -> list[Conversation]:
        """Return the conversations whose last turn has not expired."""
        now = self._clock.now()
        found = self._table.query(user_pk(tenant, user), first=_HEAD, last=f"{_HEAD}~")
        heads = [row(each, _HeadRow).conversation for each in found]
        return sorted((each for each in heads if each.expires_at > now), key=attrgetter("last_at"), reverse=True)

    def erase(self, tenant: Tenant, user: str, conversation_id: str) -> int:
        """Delete turns and summaries, then the row that lists the conversation: what fails in between can be repeated.

        A summary may be written until its turns are gone, so it is looked for once more after that.
        """
        pk, head = _pk(tenant, user, conversation_id), (user_pk(tenant, user), f"{_HEAD}{conversation_id}")
        keys = [key_of(each) for each in self._rows.partition(pk)]
        if not keys and self._table.get(head) is None:
            raise NotFoundError(f"no conversation {conversation_id}")
        self._rows.delete(keys)
        made_meanwhile = [key_of(each) for each in self._rows.partition(pk)]
        self._rows.delete([*made_meanwhile, head])
        return sum(sk.startswith(_TURN) for _, sk in keys)


def _pk(tenant: Tenant, user: str, conversation_id: str) -> str:
    return f"{tenant.id}#{quote(user, safe='')}#{conversation_id}"


def _summary_sk(labels: Sequence[str]) -> str:
    return f"SUMMARY#{hashlib.sha256(msgspec.json.encode(sorted(labels))).hexdigest()[:16]}"
