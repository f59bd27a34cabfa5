"""What an erasure asks of a table: every row a page at a time, all rows of a partition, and their deletion."""

import time
from collections.abc import Iterable, Iterator, Sequence
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from plinth.adapters.aws_calls import store_errors
from plinth.adapters.dynamodb_items import Value, from_attributes
from plinth.adapters.dynamodb_table import Key
from plinth.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_WRITES = 25  # of one BatchWriteItem, DynamoDB API reference
_TRIES = 8
_KEPT = frozenset({"expires_at"})
_CUT_SHORT = "DynamoDB's answer was cut short: try again later"
_random = SystemRandom()

Row = dict[str, Value]


class Rows:
    """The rows of one table with the keys pk and sk, whoever's they are."""

    def __init__(self, *, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self.name = name

    def page(self, after: Key | None, *, limit: int) -> tuple[list[Row], Key | None]:
        """Return at most `limit` rows of the whole table behind `after`, and where to go on, or None at its end.

        An answer that was cut short is never taken for the end.
        """
        request: dict[str, Any] = {
            "TableName": self.name,
            "ConsistentRead": True,
            "Limit": limit,
            "ReturnConsumedCapacity": "TOTAL",
        }
        if after is not None:
            request["ExclusiveStartKey"] = _key(after)
        with store_errors("DynamoDB"):
            answer = self._client.scan(**request)
        if not answer.get("ConsumedCapacity"):
            raise StoreUnavailableError(_CUT_SHORT)
        last = answer.get("LastEvaluatedKey")
        found = [from_attributes(item) for item in answer.get("Items", [])]
        return found, key_of(from_attributes(last)) if last else None

    def partition(self, pk: str) -> Iterator[Row]:
        """Yield every row of a partition."""
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ConsistentRead": True,
            "ReturnConsumedCapacity": "TOTAL",
        }
        while True:
            with store_errors("DynamoDB"):
                answer = self._client.query(**request)
            if not answer.get("ConsumedCapacity"):
                raise StoreUnavailableError(_CUT_SHORT)
            yield from map(from_attributes, answer.get("Items", []))
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def delete(self, keys: Iterable[Key]) -> int:
        """Delete the rows in the order given, and return how many keys that were; an absent row is as good as gone."""
        wanted = list(dict.fromkeys(keys))
        for start in range(0, len(wanted), _WRITES):
            self._delete_batch(wanted[start : start + _WRITES])
        return len(wanted)

    def add_onto(self, row: Row, *, sk: str) -> int:
        """Add the row's whole numbers to those of its neighbour `sk` and delete it, both or neither; return 1.

        `StoreUnavailableError` where the row has changed since it was read.
        """
        amounts = {name: n for name, n in row.items() if isinstance(n, int) and name not in _KEPT}
        names = {f"#n{place}": name for place, name in enumerate(amounts)}
        values = {f":n{place}": {"N": str(n)} for place, n in enumerate(amounts.values())}
        expires = {"#expires_at": "expires_at"}, {":expires_at": {"N": str(row["expires_at"])}}
        same = " AND ".join(f"#n{place} = :n{place}" for place in range(len(amounts))) or "attribute_exists(pk)"
        added: dict[str, Any] = {
            "TableName": self.name,
            "Key": _key((str(row["pk"]), sk)),
            "UpdateExpression": "SET #expires_at = :expires_at"
            + (f" ADD {', '.join(f'#n{place} :n{place}' for place in range(len(amounts)))}" if amounts else ""),
            "ExpressionAttributeNames": names | expires[0],
            "ExpressionAttributeValues": values | expires[1],
        }
        dropped: dict[str, Any] = {"TableName": self.name, "Key": _key(key_of(row)), "ConditionExpression": same}
        if amounts:
            dropped |= {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
        with store_errors("DynamoDB"):
            both: Any = [{"Update": added}, {"Delete": dropped}]
            try:
                self._client.transact_write_items(TransactItems=both)
            except self._client.exceptions.TransactionCanceledException as error:
                raise StoreUnavailableError("a row changed while it was moved: try again later") from error
        return 1

    def _delete_batch(self, keys: Sequence[Key]) -> None:
        writes: Any = [{"DeleteRequest": {"Key": _key(key)}} for key in keys]
        for attempt in range(_TRIES):
            with store_errors("DynamoDB"):
                answer = self._client.batch_write_item(RequestItems={self.name: writes})
            if "UnprocessedItems" not in answer:
                raise StoreUnavailableError(_CUT_SHORT)
            writes = answer["UnprocessedItems"].get(self.name)
            if not writes:
                return
            time.sleep(_random.uniform(0, min(0.5, 0.02 * 2**attempt)))
        raise StoreUnavailableError("DynamoDB left rows undeleted: try again later")


def key_of(item: Row) -> Key:
    """Return the key of a row."""
    return str(item["pk"]), str(item["sk"])


def _key(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}
