"""What a DynamoDB table may be asked: reads that may decide, and conditional writes that say what they met.

A read without ConsumedCapacity (a batch without UnprocessedKeys) is a truncated answer, not an absent item.
A failed condition is never a conflict: conflicts are tried again here with jitter, a failed condition is handed to the
caller with the item that failed it.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import SystemRandom
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from plinth.adapters.aws_calls import error_code, store_errors
from plinth.adapters.dynamodb_items import Value, from_attributes, to_attributes
from plinth.adapters.meter import Meter
from plinth.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Answer = TypeVar("Answer", bound=Mapping[str, Any])
Key = tuple[str, str]

_TRIES = 8
_CONFLICTS = frozenset({"TransactionConflictException", "TransactionInProgressException"})
_BATCH_LIMIT = 100  # keys of one BatchGetItem, DynamoDB API reference
_CUT_SHORT = "DynamoDB's answer was cut short: try again later"
_NAME = re.compile(r"#(\w+)")
_random = SystemRandom()


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Write a whole item. In `condition`, #name is an attribute and :name one of `values`."""

    key: Key
    item: Mapping[str, Value | None]
    condition: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Change an item by an update expression, under a condition; `add` counts attributes up, whatever their names."""

    key: Key
    change: str
    add: Mapping[str, int] = field(default_factory=dict[str, int])
    condition: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A sparse index: its name, its partition key (text) and its sort key (a number)."""

    name: str
    partition: str
    sort: str


class ConditionFailedError(Exception):
    """A condition did not hold. `old` has, per write, the item that failed it ({} if absent), or None if it held."""

    def __init__(self, old: Sequence[dict[str, Value] | None]) -> None:
        super().__init__("a condition did not hold")
        self.old = old


class ConflictsError(Exception):
    """Other transactions held items, of the writes at `places`; nothing was written."""

    def __init__(self, places: Sequence[int] = (0,)) -> None:
        super().__init__("other transactions held the same items")
        self.places = places


class Table:
    """One table with the keys pk and sk. A write that meets conflicts is tried again for `conflict_seconds`.

    What each answer says that it consumed goes to `meter`.
    """

    def __init__(
        self, *, client: "DynamoDBClient", name: str, conflict_seconds: float = 2.0, meter: Meter | None = None
    ) -> None:
        self._client = client
        self.name = name
        self._conflict_seconds = conflict_seconds
        self._meter = meter or Meter()

    def get(self, key: Key) -> dict[str, Value] | None:
        """Return the item as it is now, or None where there is surely none."""
        with store_errors("DynamoDB"):
            answer = self._client.get_item(
                TableName=self.name, Key=_key(key), ConsistentRead=True, ReturnConsumedCapacity="TOTAL"
            )
        item = self._whole(answer).get("Item")
        return from_attributes(item) if item else None

    def get_many(self, keys: Iterable[Key]) -> list[dict[str, Value]]:
        """Return those of the items that exist, in no order."""
        wanted = list(dict.fromkeys(keys))
        found: list[dict[str, Value]] = []
        for start in range(0, len(wanted), _BATCH_LIMIT):
            found.extend(self._get_batch([_key(key) for key in wanted[start : start + _BATCH_LIMIT]]))
        return found

    def _get_batch(self, keys: "Sequence[Mapping[str, AttributeValueTypeDef]]") -> Iterator[dict[str, Value]]:
        for attempt in range(_TRIES):
            with store_errors("DynamoDB"):
                answer = self._client.batch_get_item(
                    RequestItems={self.name: {"Keys": keys, "ConsistentRead": True}}, ReturnConsumedCapacity="TOTAL"
                )
            if "Responses" not in answer or "UnprocessedKeys" not in answer:
                raise StoreUnavailableError(_CUT_SHORT)
            self._meter.read(answer)
            yield from map(from_attributes, answer["Responses"].get(self.name, []))
            unread = answer["UnprocessedKeys"].get(self.name)
            if not unread:
                return
            keys = unread["Keys"]
            _pause(attempt)
        raise StoreUnavailableError("DynamoDB left keys unread: try again later")

    def query(
        self, pk: str, *, first: str, last: str, page_size: int | None = None, newest_first: bool = False
    ) -> Iterator[dict[str, Value]]:
        """Yield the items with sk from `first` to `last`, both included, as they are now; a page is read on demand."""
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": to_attributes({":pk": pk, ":first": first, ":last": last}),
            "ConsistentRead": True,
            "ScanIndexForward": not newest_first,
            "ReturnConsumedCapacity": "TOTAL",
        }
        if page_size is not None:
            request["Limit"] = page_size
        return self._pages(self._client.query, request)

    def scan(self, *, sk: str) -> Iterator[dict[str, Value]]:
        """Yield every item with this sk; reads the whole table."""
        request: dict[str, Any] = {
            "TableName": self.name,
            "FilterExpression": "sk = :sk",
            "ExpressionAttributeValues": to_attributes({":sk": sk}),
            "ConsistentRead": True,
            "ReturnConsumedCapacity": "TOTAL",
        }
        return self._pages(self._client.scan, request)

    def _pages(self, ask: Callable[..., Mapping[str, Any]], request: dict[str, Any]) -> Iterator[dict[str, Value]]:
        while True:
            with store_errors("DynamoDB"):
                answer = ask(**request)
            yield from map(from_attributes, self._whole(answer).get("Items", []))
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def keys_in(self, index: Index, partition: str, *, at_most: int, limit: int) -> list[Key]:
        """Return the keys of the first `limit` items of an index, which may be some seconds behind its table."""
        with store_errors("DynamoDB"):
            answer = self._client.query(
                TableName=self.name,
                IndexName=index.name,
                KeyConditionExpression="#partition = :partition AND #sort <= :most",
                ExpressionAttributeNames={"#partition": index.partition, "#sort": index.sort},
                ExpressionAttributeValues=to_attributes({":partition": partition, ":most": at_most}),
                Limit=limit,
                ReturnConsumedCapacity="TOTAL",
            )
        items = map(from_attributes, self._whole(answer).get("Items", []))
        return [(str(item["pk"]), str(item["sk"])) for item in items]

    def write(self, change: Put | Update) -> dict[str, Value]:
        """Make one write; return the whole item after an update. Raise `ConditionFailedError`."""
        request = self._request(change)
        if isinstance(change, Put):
            self._attempt(lambda: self._client.put_item(**request, ReturnConsumedCapacity="TOTAL"))
            return {}
        answer = self._attempt(
            lambda: self._client.update_item(**request, ReturnValues="ALL_NEW", ReturnConsumedCapacity="TOTAL")
        )
        return from_attributes(answer.get("Attributes", {}))

    def transact(self, *changes: Put | Update, conflicts: int | None = None) -> None:
        """Make all writes or none; raise `ConditionFailedError` where a condition did not hold.

        With `conflicts`, raise `ConflictsError` once it met as many.
        Each attempt gets a client token of its own from the SDK, so an SDK retry after a lost answer writes once.
        """
        items: Any = [{type(change).__name__: self._request(change)} for change in changes]
        self._attempt(
            lambda: self._client.transact_write_items(TransactItems=items, ReturnConsumedCapacity="TOTAL"), conflicts
        )

    def _whole(self, answer: Answer) -> Answer:
        if not answer.get("ConsumedCapacity"):
            raise StoreUnavailableError(_CUT_SHORT)
        self._meter.read(answer)
        return answer

    def _request(self, change: Put | Update) -> dict[str, Any]:
        if isinstance(change, Put):
            request: dict[str, Any] = {"Item": _key(change.key) | to_attributes(change.item)}
        else:
            request = {"Key": _key(change.key), "UpdateExpression": change.change}
        request["TableName"] = self.name
        if change.condition:
            request["ConditionExpression"] = change.condition
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        own = _NAME.findall(f"{request.get('UpdateExpression', '')} {change.condition or ''}")
        names, values = {f"#{name}": name for name in own}, dict(change.values)
        if isinstance(change, Update) and change.add:
            pairs = list(change.add.items())
            request["UpdateExpression"] += f" ADD {', '.join(f'#add_{n} :add_{n}' for n in range(len(pairs)))}"
            names |= {f"#add_{n}": name for n, (name, _) in enumerate(pairs)}
            values |= {f":add_{n}": amount for n, (_, amount) in enumerate(pairs)}
        if names:
            request["ExpressionAttributeNames"] = names
        if values:
            request["ExpressionAttributeValues"] = to_attributes(values)
        return request

    def _attempt(self, call: Callable[[], Answer], conflicts: int | None = None) -> Answer:
        give_up = time.monotonic() + self._conflict_seconds
        attempt = 0
        while True:
            try:
                answer = _written(call)
            except ConflictsError as error:
                if attempt + 1 == conflicts:
                    raise
                if time.monotonic() >= give_up:
                    raise StoreUnavailableError("DynamoDB: other transactions kept holding the same items") from error
            else:
                self._meter.wrote(answer)
                return answer
            _pause(attempt)
            attempt += 1


def _written(call: Callable[[], Answer]) -> Answer:
    with store_errors("DynamoDB"):
        try:
            return call()
        except ClientError as error:
            if (code := error_code(error)) in _CONFLICTS:
                raise ConflictsError from error
            if code == "ConditionalCheckFailedException":
                raise ConditionFailedError([_old(error.response)]) from error
            if code == "TransactionCanceledException":
                _raise_cancelled(error)
            raise


def _raise_cancelled(error: ClientError) -> None:
    reasons: Sequence[Mapping[str, Any]] = error.response.get("CancellationReasons", [])
    codes = [reason.get("Code", "None") for reason in reasons]
    if "ConditionalCheckFailed" in codes:
        failed = (_old(reason) if reason.get("Code") == "ConditionalCheckFailed" else None for reason in reasons)
        raise ConditionFailedError(list(failed)) from error
    if "TransactionConflict" in codes:
        places = [place for place, code in enumerate(codes) if code == "TransactionConflict"]
        raise ConflictsError(places) from error
    if "ThrottlingError" in codes or "ProvisionedThroughputExceeded" in codes:
        raise StoreUnavailableError("DynamoDB throttled the transaction: try again later") from error


def _old(answer: Mapping[str, Any]) -> dict[str, Value]:
    return from_attributes(answer.get("Item", {}))


def _key(key: Key) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def _pause(attempt: int) -> None:
    time.sleep(_random.uniform(0, min(0.5, 0.02 * 2**attempt)))
