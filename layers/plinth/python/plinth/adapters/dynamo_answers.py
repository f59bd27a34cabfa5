"""How long a cached answer is in force: until its own expiry, whether or not DynamoDB has removed it by then."""

import msgspec

from plinth.adapters.dynamodb_items import packed, row, unpacked
from plinth.adapters.dynamodb_table import Key, Put, Table
from plinth.contracts.runs import CachedAnswer
from plinth.contracts.tenant import Tenant
from plinth.ports import Clock


class _AnswerRow(msgspec.Struct):
    body: bytes
    expires_at: int


class DynamoAnswers:
    """`AnswerCache` in one table; an answer is in force for `keep_seconds`."""

    def __init__(self, *, table: Table, clock: Clock, keep_seconds: int = 86_400) -> None:
        self._table = table
        self._clock = clock
        self._keep_seconds = keep_seconds

    def get(self, tenant: Tenant, key: str) -> CachedAnswer | None:
        """Return the answer if it has not expired."""
        found = self._table.get(_key(tenant, key))
        if found is None:
            return None
        stored = row(found, _AnswerRow)
        return unpacked(stored.body, CachedAnswer) if stored.expires_at > self._clock.now() else None

    def put(self, tenant: Tenant, key: str, cached: CachedAnswer) -> None:
        """Keep the answer, in place of an earlier one."""
        expires_at = int(self._clock.now()) + self._keep_seconds
        self._table.write(Put(key=_key(tenant, key), item={"body": packed(cached), "expires_at": expires_at}))


def _key(tenant: Tenant, key: str) -> Key:
    return f"{tenant.id}#{key}", "ANSWER"
