"""Where files for people outside Plinth are left."""

from typing import TYPE_CHECKING

from plinth.adapters.aws_calls import store_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Exports:
    """`Exports` in a bucket."""

    def __init__(self, *, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, body: bytes) -> None:
        """Store the bytes, in place of an earlier export's."""
        with store_errors("S3"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="text/csv; charset=utf-8")
