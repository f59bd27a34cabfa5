"""What a dead letter says: the document's version, the reason's code and a sentence for a person."""

from typing import TYPE_CHECKING

import msgspec

from plinth.adapters.aws_calls import store_errors
from plinth.contracts.memory import DocumentVersion

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsDeadLetters:
    """`DeadLetters` in a queue; the body is JSON with `document`, `reason` and `message`."""

    def __init__(self, *, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, document: DocumentVersion, *, reason: str, message: str) -> None:
        """Queue the letter. A retry may queue it twice: readers go by document and sequence."""
        body = msgspec.json.encode({"document": document, "reason": reason, "message": message}).decode()
        with store_errors("SQS"):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)
