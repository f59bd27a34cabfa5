"""How long a cached answer is in force: until its own expiry, whether or not DynamoDB has removed it by then."""

import msgspec

from plinth.adapters.dynamodb_items import Value, packed, row, unpacked
from plinth.adapters.dynamodb_table import Key, Put, Table
from plinth.contracts.questions import KeptQuestion, QuestionVector
from plinth.contracts.runs import CachedAnswer
from plinth.contracts.tenant import Tenant
from plinth.ports.clock import Clock

_KEEP_SECONDS = 86_400


class _AnswerRow(msgspec.Struct):
    body: bytes
    expires_at: int


class _QuestionRow(msgspec.Struct):
    model: str
    halves: bytes
    answer_key: str
    expires_at: int


class DynamoAnswers:
    """`AnswerCache` in one table; an answer is in force for a day."""

    def __init__(self, *, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def get(self, tenant: Tenant, key: str) -> CachedAnswer | None:
        """Return the answer if it has not expired."""
        found = self._table.get(_key(tenant, key))
        if found is None:
            return None
        stored = row(found, _AnswerRow)
        return unpacked(stored.body, CachedAnswer) if stored.expires_at > self._clock.now() else None

    def put(self, tenant: Tenant, key: str, cached: CachedAnswer) -> None:
        """Keep the answer, in place of an earlier one."""
        self._table.write(Put(key=_key(tenant, key), item={"body": packed(cached), "expires_at": self._expires_at()}))

    def kept_question(self, tenant: Tenant, near_key: str) -> KeptQuestion | None:
        """Return the question if it has not expired."""
        found = self._table.get(_key(tenant, near_key, "QUESTION"))
        if found is None:
            return None
        stored = row(found, _QuestionRow)
        if stored.expires_at <= self._clock.now():
            return None
        vector = QuestionVector(model=stored.model, halves=stored.halves)
        return KeptQuestion(vector=vector, answer_key=stored.answer_key)

    def keep_question(self, tenant: Tenant, near_key: str, kept: KeptQuestion) -> None:
        """Keep the question, in place of an earlier one of its form."""
        item: dict[str, Value | None] = {
            "model": kept.vector.model,
            "halves": kept.vector.halves,
            "answer_key": kept.answer_key,
            "expires_at": self._expires_at(),
        }
        self._table.write(Put(key=_key(tenant, near_key, "QUESTION"), item=item))

    def _expires_at(self) -> int:
        return int(self._clock.now()) + _KEEP_SECONDS


def _key(tenant: Tenant, key: str, kind: str = "ANSWER") -> Key:
    return f"{tenant.id}#{key}", kind
