"""Which behaviour of DynamoDB under load and over time is imposed on tables: conflicts, throttles, lags."""

import json
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from local.cloud import ministack
from local.cloud.strict.chances import Fate

Answer = tuple[int, dict[str, str], bytes]
ItemKey = tuple[str, ...]

CONFLICT_SECONDS = 0.5

# "Using time to live (TTL) in DynamoDB": expired items go "within a few days" (AWS guide, read 2026-11).
TTL_LATE_SECONDS = 48 * 3600.0
REAPER = "dynamodb-ttl-reaper"

_KEPT = 10_000
_ONGOING = "Transaction is ongoing for the item"

_WRITES = ("_put_item", "_update_item", "_delete_item")
_CALLS = (*_WRITES, "_get_item", "_query", "_scan", "_batch_get_item", "_batch_write_item", "_transact_write_items")


def apply(fate: Fate) -> None:
    """Impose every rule of this module."""
    service = ministack.module("services.dynamodb")
    Conflicts(service, fate).apply()
    throttles(service, fate)
    IndexLag(service, fate).apply()
    late_time_to_live(service)


class Conflicts:
    """Refuses a write now and then because of another one of the same item within the last half second.

    TransactionCanceledException with the reason TransactionConflict for a transaction, TransactionConflictException for
    a single write that meets one: "Amazon DynamoDB Transactions: How it works", conflict handling (read 2026-11).
    """

    def __init__(self, service: ModuleType, fate: Fate) -> None:
        self._service = service
        self._fate = fate
        self._written: dict[ItemKey, float] = {}
        self._transacted: dict[ItemKey, float] = {}

    def apply(self) -> None:
        """Impose the rule on each kind of write."""
        for name in (*_WRITES, "_transact_write_items"):
            _refuse(self._service, name, self.refused)

    def refused(self, data: dict[str, Any]) -> Answer | None:
        """Return the refusal of a write, or None; then the write is noted."""
        transaction = "TransactItems" in data
        writes = [next(iter(each.values())) for each in data["TransactItems"]] if transaction else [data]
        keys = [self._key(write) for write in writes]
        now = time.monotonic()
        recent = self._written if transaction else self._transacted
        contended = [place for place, key in enumerate(keys) if now - recent.get(key, -math.inf) < CONFLICT_SECONDS]
        if contended and self._fate.strikes(self._fate.chances.transaction_conflicts):
            return _canceled(len(keys), contended) if transaction else _error("TransactionConflictException", _ONGOING)
        self._written |= dict.fromkeys(keys, now)
        self._transacted |= dict.fromkeys(keys if transaction else (), now)
        for times in (self._written, self._transacted):
            if len(times) > _KEPT:
                times.clear()
        return None

    def _key(self, write: dict[str, Any]) -> ItemKey:
        name = _table_name(write)
        table: dict[str, Any] = self._service._tables.get(name) or {}
        key: dict[str, Any] = write.get("Key") or write.get("Item", {})
        return name, *(json.dumps(key.get(str(table.get(part)))) for part in ("pk_name", "sk_name"))


def _canceled(writes: int, contended: list[int]) -> Answer:
    reasons: list[dict[str, str]] = [{"Code": "None"} for _ in range(writes)]
    for place in contended:
        reasons[place] = {"Code": "TransactionConflict", "Message": _ONGOING}
    codes = ", ".join(reason["Code"] for reason in reasons)
    told = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return _error("TransactionCanceledException", told, CancellationReasons=reasons)


def throttles(service: ModuleType, fate: Fate) -> None:
    """Refuse every call to the tables whose names hold one of `throttled_tables`.

    ProvisionedThroughputExceededException: "Error handling with DynamoDB"; on-demand tables throttle too, past twice
    their previous peak ("On-demand capacity mode", read 2026-11).
    """

    def refused(data: dict[str, Any]) -> Answer | None:
        tables = _tables_of(data) if fate.chances.throttled_tables else set[str]()
        if not any(part in table for part in fate.chances.throttled_tables for table in tables):
            return None
        return _error("ProvisionedThroughputExceededException", "The level of configured throughput was exceeded")

    for name in _CALLS:
        _refuse(service, name, refused)


def _tables_of(data: dict[str, Any]) -> set[str]:
    items = [next(iter(each.values())) for each in data.get("TransactItems", [])]
    return {_table_name(each) for each in (data, *items)} | set(data.get("RequestItems", {}))


def _table_name(data: dict[str, Any]) -> str:
    return str(data.get("TableName", "")).rpartition("/")[2]


class IndexLag:
    """Shows a secondary index as it was `index_lag_seconds` ago.

    "Using Global Secondary Indexes in DynamoDB", data synchronization: eventually consistent (AWS guide, read 2026-11).
    """

    def __init__(self, service: ModuleType, fate: Fate) -> None:
        self._service = service
        self._fate = fate
        self._changes: deque[tuple[float, str, Any, Any, Any]] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def apply(self) -> None:
        """Note every change of an item, and query indexes on the items as they were."""
        for name in ("_set_item", "_remove_item"):
            ministack.replace(self._service, name, self._noting(getattr(self._service, name)))
        for name in ("_query", "_scan"):
            ministack.replace(self._service, name, self._looking_back(getattr(self._service, name)))

    def _noting(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def change_and_note(table: dict[str, Any], pk: object, sk: object, *item: object) -> object:
            old = change(table, pk, sk, *item)
            self._changes.append((time.monotonic(), table["TableName"], pk, sk, old))
            return old

        return change_and_note

    def _looking_back(self, ask: Callable[..., Answer]) -> Callable[..., Answer]:
        def ask_the_past(data: dict[str, Any]) -> Answer:
            if not data.get("IndexName") or not self._fate.chances.index_lag_seconds:
                return ask(data)
            with self._as_it_was(_table_name(data)):
                return ask(data)

        return ask_the_past

    @contextmanager
    def _as_it_was(self, name: str) -> Generator[None]:
        tables = self._service._tables
        table = tables.get(name)
        past = self._before(name)
        if table is None or not past:
            yield
            return
        items = {pk: dict(rows) for pk, rows in table["items"].items()}
        for (pk, sk), old in past.items():
            items.setdefault(pk, {}).pop(sk, None)
            if old is not None:
                items[pk][sk] = old
        stale = {**table, "items": items}
        stale.pop(self._service._INDEX_MEMBERS, None)
        with self._lock:
            tables[name] = stale
            try:
                yield
            finally:
                tables[name] = table

    def _before(self, name: str) -> dict[tuple[Any, Any], Any]:
        """Return what each item was that has changed within the lag; None where it was not there."""
        since = time.monotonic() - self._fate.chances.index_lag_seconds
        past: dict[tuple[Any, Any], Any] = {}
        for at, table, pk, sk, old in list(self._changes):
            if at >= since and table == name:
                past.setdefault((pk, sk), old)
        return past


def late_time_to_live(service: ModuleType) -> None:
    """Let expired items lie for two days, still readable: whoever reads one must look at its time."""
    ministack.require(service, "_ttl_reaper", "time")
    if not any(thread.name == REAPER for thread in threading.enumerate()):
        raise ministack.MinistackChangedError(
            f"no thread is called {REAPER}: this is not ministack {ministack.VERSION}"
        )
    ministack.replace(service, "time", LateClock())


class LateClock:
    """The module `time`, but for the thread that removes expired items two days late."""

    def time(self) -> float:
        """Return the time, or in the reaper's thread the time two days ago."""
        late = TTL_LATE_SECONDS if threading.current_thread().name == REAPER else 0.0
        return time.time() - late

    def __getattr__(self, name: str) -> object:
        return getattr(time, name)


def _refuse(service: ModuleType, name: str, refused: Callable[[dict[str, Any]], Answer | None]) -> None:
    ministack.require(service, name)
    act = getattr(service, name)

    def act_unless(data: dict[str, Any]) -> Answer:
        answer: Answer = refused(data) or act(data)
        return answer

    ministack.replace(service, name, act_unless)


def _error(code: str, message: str, **more: object) -> Answer:
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, "Message": message, **more}
    return 400, {"Content-Type": "application/x-amz-json-1.0", "x-amzn-errortype": code}, json.dumps(body).encode()
