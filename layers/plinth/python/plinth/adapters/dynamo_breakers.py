"""How all functions learn that a model is ill: failures counted in one row per model, which is closed by a success.

A healthy call reads the row and writes nothing. The breaker only saves time and attempts, so a store that does not
answer never stops a call: the breaker counts as closed, and what it should have counted is lost.
"""

import math
from contextlib import suppress

import msgspec

from plinth.adapters.dynamodb_items import Value, row
from plinth.adapters.dynamodb_table import ConditionFailedError, Key, Table, Update
from plinth.contracts.models import Breaker
from plinth.errors import StoreUnavailableError
from plinth.ports.clock import Clock

FAILURES = 5
"""Failures without a success between them, none of them `WINDOW_SECONDS` after the first, that open the breaker."""

WINDOW_SECONDS = 60
OPEN_SECONDS = 30
"""How long nobody asks; then one call probes, and until it ends, or as long again, the others still don't."""

_KEEP_SECONDS = 3600


class _Row(msgspec.Struct):
    failures: int = 0
    since: float = 0.0
    open_until: float = 0.0


class DynamoBreakers:
    """`Breakers` on rows MODEL#<id> of the table of runs."""

    def __init__(self, *, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def look(self, model: str) -> Breaker:
        """Return whether the model may be asked now; the first look after the time is over is the probe's."""
        with suppress(StoreUnavailableError):
            found = row(self._table.get(_key(model)) or {}, _Row)
            now = self._clock.now()
            if found.failures >= FAILURES and (found.open_until > now or not self._take_probe(model, found, now)):
                return Breaker(failing=True, open_until=max(found.open_until, now + 1))
            return Breaker(failing=found.failures > 0)
        return Breaker(failing=False)

    def failed(self, model: str) -> None:
        """Count a failure; the one that makes `FAILURES` of them opens the breaker, and so does every later one."""
        now = self._clock.now()
        values: dict[str, Value] = {":now": now, ":expires_at": math.ceil(now) + _KEEP_SECONDS}
        first = Update(
            key=_key(model),
            change="SET #failures = :one, #since = :now, #open_until = :never, #expires_at = :expires_at",
            condition="attribute_not_exists(pk) OR #failures = :never OR (#since < :earliest AND #failures < :limit)",
            values={**values, ":one": 1, ":never": 0, ":earliest": now - WINDOW_SECONDS, ":limit": FAILURES},
        )
        another = Update(
            key=_key(model),
            change="SET #failures = #failures + :one, #open_until = :until, #expires_at = :expires_at",
            values={":one": 1, ":until": now + OPEN_SECONDS, ":expires_at": values[":expires_at"]},
        )
        with suppress(StoreUnavailableError):
            try:
                self._table.write(first)
            except ConditionFailedError:
                self._table.write(another)

    def succeeded(self, model: str) -> None:
        """Close the breaker of a model that failed before."""
        closed = Update(
            key=_key(model), change="SET #failures = :none", condition="attribute_exists(pk)", values={":none": 0}
        )
        with suppress(StoreUnavailableError, ConditionFailedError):
            self._table.write(closed)

    def _take_probe(self, model: str, found: _Row, now: float) -> bool:
        probing = Update(
            key=_key(model),
            change="SET #open_until = :until",
            condition="#open_until = :met",
            values={":until": now + OPEN_SECONDS, ":met": found.open_until},
        )
        with suppress(ConditionFailedError):
            self._table.write(probing)
            return True
        return False


def _key(model: str) -> Key:
    return f"MODEL#{model}", "BREAKER"
