"""How documents come into their bucket and leave it: one signed PUT of a stated size, and deletion of every version."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NotRequired, TypedDict
from urllib.parse import quote, unquote

from botocore.exceptions import ClientError

from plinth.adapters.aws_calls import error_code, store_errors
from plinth.contracts.memory import CurrentObject, DocumentVersion, SourceObject, Upload, UploadContent
from plinth.contracts.tenant import Tenant
from plinth.errors import DocumentRefusedError, StoreUnavailableError
from plinth.memory.naming import object_key
from plinth.ports.documents import UPLOAD_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        DeleteMarkerEntryTypeDef,
        GetObjectOutputTypeDef,
        ObjectIdentifierTypeDef,
        ObjectVersionTypeDef,
    )

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_DELETE_LIMIT = 1000  # keys of one DeleteObjects, S3 API reference
_GONE_CODES = frozenset({"NoSuchKey", "NoSuchVersion", "MethodNotAllowed", "404", "405"})


_Entry = tuple[str, datetime]


class _VersionTypeDef(TypedDict):
    Key: str
    VersionId: NotRequired[str]


class S3Documents:
    """`SourceObjects` in a versioned bucket. The client must sign with s3v4: `aws_calls.S3_CALLS`."""

    def __init__(self, *, client: "S3Client", bucket: str, max_bytes: int) -> None:
        self._client = client
        self._bucket = bucket
        self._max_bytes = max_bytes

    def upload(self, tenant: Tenant, name: str, content: UploadContent) -> Upload:
        """Return one PUT, good for 5 minutes, whose signature covers length, type and metadata.

        User metadata is US-ASCII (Amazon S3 user guide), so values travel percent-encoded, and `fetch` decodes them.
        """
        metadata = {name: quote(value, safe=" /:@,") for name, value in content.metadata.items()}
        with store_errors("S3"):
            url = self._client.generate_presigned_url(
                "put_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": object_key(tenant, name),
                    "ContentType": content.content_type,
                    "ContentLength": content.size_bytes,
                    "Metadata": metadata,
                },
                ExpiresIn=UPLOAD_SECONDS,
            )
        signed = {f"x-amz-meta-{name}": value for name, value in metadata.items()}
        headers = {"content-type": content.content_type, **signed}
        return Upload(url=url, method="PUT", headers=headers, expires_in_seconds=UPLOAD_SECONDS)

    def fetch(self, document: DocumentVersion) -> SourceObject:
        """Return the bytes of this version; `source_gone` or `too_large` otherwise."""
        with store_errors("S3"):
            found = self._found(document)
            with closing(found["Body"]) as body:
                if found["ContentLength"] > self._max_bytes:
                    raise DocumentRefusedError(
                        "too_large", f"the file has {found['ContentLength']} bytes: upload at most {self._max_bytes}"
                    )
                tags = self._tags(document) if found.get("TagCount") else {}
                own = {name: unquote(value) for name, value in found["Metadata"].items()}
                return SourceObject(body=body.read(), content_type=found["ContentType"], tags=tags | own)

    def _tags(self, document: DocumentVersion) -> dict[str, str]:
        found = self._client.get_object_tagging(Bucket=self._bucket, **_version(document))
        return {tag["Key"]: tag["Value"] for tag in found["TagSet"]}

    def _found(self, document: DocumentVersion) -> "GetObjectOutputTypeDef":
        try:
            return self._client.get_object(Bucket=self._bucket, **_version(document))
        except ClientError as error:
            if error_code(error) in _GONE_CODES:
                raise DocumentRefusedError("source_gone", "the file was deleted before it was read") from error
            raise

    def current(self, tenant: Tenant) -> Iterator[CurrentObject]:
        """List what is under the tenant's prefix, a page at a time; markers of folders are left out."""
        prefix = object_key(tenant, "")
        pages = iter(self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix))
        while True:
            with store_errors("S3"):
                page = next(pages, None)
            if page is None:
                return
            for found in page.get("Versions", []):
                name = found.get("Key", "").removeprefix(prefix)
                if found.get("IsLatest") and name and not name.endswith("/"):
                    yield CurrentObject(
                        name=name,
                        version_id=found.get("VersionId", "null"),
                        size_bytes=found.get("Size", 0),
                        modified_at=found.get("LastModified", _LONG_AGO).timestamp(),
                    )

    def delete(self, tenant: Tenant, name: str) -> None:
        """Delete every version, then put a delete marker, which the bucket announces with the deletion's sequence.

        The marker makes the document unknown, so it comes after: a deletion that fails before it can be repeated.
        What was uploaded meanwhile goes too; a version newer than the marker stays. S3 tells times to the second.
        That a marker over nothing is announced is what the S3 user guide says; it was not tried on AWS.
        """
        key = f"{tenant.id}/{name}"
        with store_errors("S3"):
            versions, _ = self._history(key)
            self._delete_versions(key, [version_id for version_id, _ in versions])
            marker = self._client.delete_object(Bucket=self._bucket, Key=key).get("VersionId")
            versions, markers = self._history(key)
            covered = max((at for version_id, at in markers if version_id == marker), default=None)
            self._delete_versions(key, [version_id for version_id, at in versions if covered is None or at <= covered])

    def _history(self, key: str) -> tuple[list[_Entry], list[_Entry]]:
        versions: list[_Entry] = []
        markers: list[_Entry] = []
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key)
        for page in pages:
            versions += _entries(key, page.get("Versions", []))
            markers += _entries(key, page.get("DeleteMarkers", []))
            if page.get("NextKeyMarker", key) != key:
                break
        return versions, markers

    def _delete_versions(self, key: str, version_ids: Sequence[str]) -> None:
        identifiers: list[ObjectIdentifierTypeDef] = [{"Key": key, "VersionId": each} for each in version_ids]
        for start in range(0, len(identifiers), _DELETE_LIMIT):
            objects = identifiers[start : start + _DELETE_LIMIT]
            answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
            if answer.get("Errors"):
                raise StoreUnavailableError(f"S3 kept {len(answer['Errors'])} versions: try again later")


def _version(document: DocumentVersion) -> "_VersionTypeDef":
    if document.version_id is None:
        return {"Key": document.object_key}
    return {"Key": document.object_key, "VersionId": document.version_id}


def _entries(key: str, found: "Iterable[ObjectVersionTypeDef | DeleteMarkerEntryTypeDef]") -> list[_Entry]:
    return [
        (entry.get("VersionId", "null"), entry.get("LastModified", _LONG_AGO))
        for entry in found
        if entry.get("Key") == key
    ]
