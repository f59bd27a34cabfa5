"""Where the ingest steps leave what they hand on: under tenant, document and generation, so that no two tries mix."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from plinth.adapters.aws_calls import error_code, store_errors
from plinth.contracts.memory import DocumentVersion
from plinth.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Work:
    """`WorkObjects` in a bucket whose lifecycle rule expires them."""

    def __init__(self, *, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, document: DocumentVersion, name: str, body: bytes) -> None:
        """Store the bytes, in place of an earlier attempt's."""
        with store_errors("S3"):
            self._client.put_object(Bucket=self._bucket, Key=_key(document, name), Body=body)

    def get(self, document: DocumentVersion, name: str) -> bytes:
        """Return the bytes; an absent object is a transient fault, since the step before has written it."""
        found = self.find(document, name)
        if found is None:
            raise StoreUnavailableError(f"S3 has no {name} of this version: try again later")
        return found

    def find(self, document: DocumentVersion, name: str) -> bytes | None:
        """Return the bytes, or None; without the right to list the bucket S3 would not say that they are absent."""
        with store_errors("S3"):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=_key(document, name))
            except ClientError as error:
                if error_code(error) == "NoSuchKey":
                    return None
                raise
            return found["Body"].read()


def _key(document: DocumentVersion, name: str) -> str:
    return f"{document.tenant.id}/{document.document_id}/{document.generation}/{name}"
