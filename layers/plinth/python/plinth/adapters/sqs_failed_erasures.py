"""Who is told of an erasure that could not be finished: a queue whose messages hold its id and the error's name."""

from typing import TYPE_CHECKING

import msgspec

from plinth.adapters.aws_calls import store_errors

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsFailedErasures:
    """`FailedErasures` in a queue."""

    def __init__(self, *, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, erasure_id: str, *, error: str) -> None:
        """Queue the id."""
        body = msgspec.json.encode({"erasure_id": erasure_id, "error": error}).decode()
        with store_errors("SQS"):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)
