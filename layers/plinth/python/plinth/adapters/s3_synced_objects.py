"""How objects of other buckets are listed and copied among the documents, and how a copy is taken away again.

A copy says in its metadata which sync made it. It is deleted only as long as it is the current version: S3 compares the
ETag (`If-Match`), so that what somebody uploads in its place at that moment stays.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from botocore.exceptions import ClientError

from plinth.adapters.aws_calls import error_code, store_errors
from plinth.contracts.importing import ImportedFile, SyncedObject
from plinth.contracts.syncs import ListedObject, ObjectFacts
from plinth.contracts.tenant import Tenant
from plinth.errors import DocumentRefusedError, SourceUnreadableError
from plinth.memory.naming import object_key
from plinth.memory.tagging import OWN_MARK

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GRANT = "let its owner grant this environment s3:ListBucket, s3:GetObject and s3:GetObjectTagging"
_ABSENT = frozenset({"NoSuchKey", "404"})
_CHANGED = frozenset({"PreconditionFailed", "412"})
_UNREADABLE = {
    "AccessDenied": f"the bucket refuses to be read: {_GRANT}",
    "AllAccessDisabled": f"the bucket refuses to be read: {_GRANT}",
    "403": f"the bucket refuses to be read: {_GRANT}",
    "NoSuchBucket": "there is no such bucket: name one that exists",
    "PermanentRedirect": "the bucket is in another region: sync one of this environment's region",
}
_REFUSALS = {
    **dict.fromkeys(_ABSENT, ("source_gone", "the object was deleted before it was read")),
    **dict.fromkeys(_CHANGED, ("source_changed", "the object changed meanwhile: the next pass takes it")),
    "AccessDenied": ("source_denied", f"the object or its tags may not be read: {_GRANT}"),
    "403": ("source_denied", f"the object may not be read: {_GRANT}"),
    "InvalidObjectState": ("source_archived", "the object is archived: restore it"),
    "MetadataTooLarge": ("bad_metadata", "its tags and metadata are over 2 KB: shorten them"),
}


class S3SyncedObjects:
    """`SyncedObjects` by one client, which may read the listed buckets and write into that of the documents."""

    def __init__(self, *, client: "S3Client", documents_bucket: str) -> None:
        self._client = client
        self._documents_bucket = documents_bucket

    def listed(self, bucket: str, prefix: str) -> Iterator[ListedObject]:
        """List page by page; a name that ends in a slash is a folder that somebody made by hand."""
        pages = iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
        while True:
            with store_errors("S3"), _unreadable(bucket):
                page = next(pages, None)
            if page is None:
                return
            for found in page.get("Contents", []):
                key = found.get("Key", "")
                if not key.endswith("/"):
                    yield ListedObject(
                        key=key,
                        etag=found.get("ETag", ""),
                        size_bytes=found.get("Size", 0),
                        modified_at=found["LastModified"].timestamp() if "LastModified" in found else 0.0,
                    )

    def describe(self, source: SyncedObject) -> ObjectFacts:
        """Read head and tags; user metadata wins over a tag of its name, as it does among the documents."""
        with store_errors("S3"), _refused():
            head = self._client.head_object(Bucket=source.bucket, Key=source.key, IfMatch=source.etag)
            tags = self._client.get_object_tagging(Bucket=source.bucket, Key=source.key)["TagSet"]
        own = {name: unquote(value) for name, value in head["Metadata"].items()}
        return ObjectFacts(content_type=head["ContentType"], tags={**{tag["Key"]: tag["Value"] for tag in tags}, **own})

    def owner(self, tenant: Tenant, name: str) -> str | None:
        """Read the mark of the current object."""
        found = self._copy(tenant, name)
        return found and found[0]

    def place(self, tenant: Tenant, file: ImportedFile) -> None:
        """Copy the version that was listed, without its tags: they are among the file's metadata."""
        source = file.source
        if source is None:
            raise ValueError(f"{file.name} is no file of a sync")
        with store_errors("S3"), _refused():
            self._client.copy_object(
                Bucket=self._documents_bucket,
                Key=object_key(tenant, file.name),
                CopySource={"Bucket": source.bucket, "Key": source.key},
                CopySourceIfMatch=source.etag,
                MetadataDirective="REPLACE",
                TaggingDirective="REPLACE",
                ContentType=file.content_type,
                Metadata={name: quote(value, safe=" /:@,") for name, value in file.metadata.items()},
            )

    def withdraw(self, tenant: Tenant, name: str, sync_id: str) -> bool:
        """Put a delete marker over the copy, unless something else has come in its place."""
        found = self._copy(tenant, name)
        if found is None or found[0] != sync_id:
            return False
        with store_errors("S3"):
            try:
                key = object_key(tenant, name)
                self._client.delete_object(Bucket=self._documents_bucket, Key=key, IfMatch=found[1])
            except ClientError as error:
                if error_code(error) in _ABSENT | _CHANGED:
                    return False
                raise
        return True

    def _copy(self, tenant: Tenant, name: str) -> tuple[str, str] | None:
        """Return whose copy the current object is, and its ETag."""
        with store_errors("S3"):
            try:
                head = self._client.head_object(Bucket=self._documents_bucket, Key=object_key(tenant, name))
            except ClientError as error:
                if error_code(error) in _ABSENT:
                    return None
                raise
        return head["Metadata"].get(OWN_MARK, ""), head["ETag"]


@contextmanager
def _unreadable(bucket: str) -> Generator[None]:
    try:
        yield
    except ClientError as error:
        if told := _UNREADABLE.get(error_code(error)):
            raise SourceUnreadableError(f"{bucket}: {told}") from error
        raise


@contextmanager
def _refused() -> Generator[None]:
    try:
        yield
    except ClientError as error:
        if told := _REFUSALS.get(error_code(error)):
            raise DocumentRefusedError(*told) from error
        raise
