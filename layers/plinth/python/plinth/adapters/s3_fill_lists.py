"""Where a round of a reindex lies for its machine to read: one JSON array in the work bucket."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from plinth.adapters.aws_calls import store_errors
from plinth.contracts.reindexing import FilledDocument, Reindex

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3FillLists:
    """`FillLists` in a bucket whose lifecycle rule expires them."""

    def __init__(self, *, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, reindex: Reindex, documents: Sequence[FilledDocument]) -> None:
        """Store the list of this round, the same one again after a crash."""
        with store_errors("S3"):
            self._client.put_object(Bucket=self._bucket, Key=self.key(reindex), Body=msgspec.json.encode(documents))

    def key(self, reindex: Reindex) -> str:
        """Return the key of this round: no tenant's prefix, whose ids hold no underscore."""
        return f"_reindexes/{reindex.number}/{reindex.round}.json"
