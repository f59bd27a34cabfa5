"""What a dead letter says: the document's version, why it was refused, and when it was tried."""

from typing import TYPE_CHECKING

import msgspec

from plinth.adapters.aws_calls import store_errors
from plinth.contracts.memory import DocumentRecord, DocumentVersion

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsDeadLetters:
    """`DeadLetters` in a queue; the body is JSON with `document`, `reason`, `message`, `attempts`, `attempted_at`."""

    def __init__(self, *, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, document: DocumentVersion, refusal: DocumentRecord) -> None:
        """Queue the letter. A retry may queue it twice: readers go by document, sequence and attempt."""
        letter = {
            "document": document,
            "reason": refusal.reason,
            "message": refusal.message,
            "attempts": len(refusal.attempted_at),
            "attempted_at": refusal.attempted_at,
        }
        with store_errors("SQS"):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=msgspec.json.encode(letter).decode())
