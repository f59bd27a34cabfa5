"""Where the files of an import wait: in the work bucket, each once under its hash, which S3 checks as it arrives."""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
from botocore.exceptions import ClientError

from plinth.adapters.aws_calls import error_code, store_errors
from plinth.contracts.importing import ImportedFile
from plinth.contracts.memory import Upload
from plinth.contracts.tenant import Tenant
from plinth.errors import DocumentRefusedError, NotFoundError
from plinth.memory.naming import object_key
from plinth.ports.documents import UPLOAD_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ABSENT = frozenset({"NoSuchKey", "404"})


class S3Staging:
    """`StagedFiles` in the work bucket; `place` copies into the bucket of documents."""

    def __init__(self, *, client: "S3Client", bucket: str, documents_bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._documents_bucket = documents_bucket

    def put_manifest(self, tenant: Tenant, import_id: str, files: Sequence[ImportedFile]) -> None:
        """Store the files as one JSON array."""
        with store_errors("S3"):
            self._client.put_object(
                Bucket=self._bucket, Key=self.manifest_key(tenant, import_id), Body=msgspec.json.encode(files)
            )

    def manifest(self, tenant: Tenant, import_id: str) -> list[ImportedFile]:
        """Return the files."""
        with store_errors("S3"):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=self.manifest_key(tenant, import_id))
            except ClientError as error:
                if error_code(error) in _ABSENT:
                    raise NotFoundError(
                        f"no import {import_id}: its files are kept for 2 days, create it again"
                    ) from error
                raise
            return msgspec.json.decode(found["Body"].read(), type=list[ImportedFile])

    def manifest_key(self, tenant: Tenant, import_id: str) -> str:
        """Return the key within the work bucket."""
        return f"{tenant.id}/imports/{import_id}.json"

    def missing(self, tenant: Tenant, files: Sequence[ImportedFile]) -> list[ImportedFile]:
        """List what waits for the tenant, and return the rest."""
        prefix = _staged(tenant, "")
        with store_errors("S3"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            there = {str(found.get("Key")).removeprefix(prefix) for page in pages for found in page.get("Contents", [])}
        return list({file.sha256: file for file in files if file.sha256 not in there}.values())

    def upload(self, tenant: Tenant, file: ImportedFile) -> Upload:
        """Return one PUT whose signature covers length and checksum: S3 refuses other bytes."""
        checksum = base64.b64encode(bytes.fromhex(file.sha256)).decode()
        with store_errors("S3"):
            url = self._client.generate_presigned_url(
                "put_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": _staged(tenant, file.sha256),
                    "ContentLength": file.size_bytes,
                    "ChecksumSHA256": checksum,
                },
                ExpiresIn=UPLOAD_SECONDS,
            )
        headers = {"x-amz-checksum-sha256": checksum}
        return Upload(url=url, method="PUT", headers=headers, expires_in_seconds=UPLOAD_SECONDS)

    def place(self, tenant: Tenant, file: ImportedFile) -> None:
        """Copy the bytes, with the type and the metadata that the manifest says."""
        with store_errors("S3"):
            try:
                self._client.copy_object(
                    Bucket=self._documents_bucket,
                    Key=object_key(tenant, file.name),
                    CopySource={"Bucket": self._bucket, "Key": _staged(tenant, file.sha256)},
                    MetadataDirective="REPLACE",
                    ContentType=file.content_type,
                    Metadata={name: quote(value, safe=" /:@,") for name, value in file.metadata.items()},
                )
            except ClientError as error:
                if error_code(error) in _ABSENT:
                    raise DocumentRefusedError(
                        "not_uploaded", "the file's bytes did not arrive: import again"
                    ) from error
                raise


def _staged(tenant: Tenant, sha256: str) -> str:
    return f"{tenant.id}/staged/{sha256}"
