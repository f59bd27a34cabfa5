"""How the rate limit stays exact among many callers: two conditional updates of one number, no read."""

import math
from collections.abc import Mapping

import msgspec

from plinth.access.gcra import Rate
from plinth.adapters.dynamodb_items import Value, row
from plinth.adapters.dynamodb_table import ConditionFailedError, Key, Table, Update
from plinth.contracts.access import Admission
from plinth.contracts.tenant import Tenant
from plinth.errors import StoreUnavailableError
from plinth.ports import Clock

_MICROS = 1_000_000
_KEEP_SECONDS = 86_400  # an idle row says nothing; a day leaves room for any clock skew


class _RateRow(msgspec.Struct):
    tat: int


class DynamoRateLimiter:
    """`RateLimiter` on the tenant's row RATE#requests. A write that was made twice only admits less."""

    def __init__(self, *, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def admit(self, tenant: Tenant, *, requests_per_minute: int, burst: int) -> Admission:
        """Start a full allowance, or else take from a used one.

        `tat` never falls, so the value that failed the first update decides a refusal without a second.
        """
        rate = Rate(requests_per_minute=requests_per_minute, burst=burst)
        now_us = math.floor(self._clock.now() * _MICROS)
        latest = rate.latest_tat_us(now_us)
        expires_at = math.ceil(self._clock.now()) + _KEEP_SECONDS
        start = Update(
            key=_key(tenant),
            change="SET #tat = :next, #expires_at = :expires_at",
            condition="attribute_not_exists(#tat) OR #tat <= :now",
            values={":next": now_us + rate.interval_us, ":now": now_us, ":expires_at": expires_at},
        )
        take = Update(
            key=_key(tenant),
            change="SET #tat = #tat + :interval, #expires_at = :expires_at",
            condition="#tat <= :latest",
            values={":interval": rate.interval_us, ":latest": latest, ":expires_at": expires_at},
        )
        for update in (start, take):
            try:
                return rate.admitted(_tat(self._table.write(update)), now_us)
            except ConditionFailedError as failed:
                if failed.old[0] and (met := _tat(failed.old[0])) > latest:
                    return rate.denied(met, now_us)
        raise StoreUnavailableError("the rate limit's row was removed meanwhile: try again")


def _key(tenant: Tenant) -> Key:
    return f"TENANT#{tenant.id}", "RATE#requests"


def _tat(item: Mapping[str, Value]) -> int:
    return row(item, _RateRow).tat
