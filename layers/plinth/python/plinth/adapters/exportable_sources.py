"""Which files are given back: the current version of every object of the tenant, but of documents being deleted."""

from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from plinth.adapters.aws_calls import error_code, store_errors
from plinth.contracts.exporting import ExportedPage, Subject
from plinth.contracts.memory import DocumentState
from plinth.errors import NotFoundError
from plinth.memory.exports import original_path
from plinth.memory.naming import document_id, object_key
from plinth.ports.documents import Documents

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PAGE = 4
"""Objects of one page: at most 200 MB in memory."""


class ExportableSources:
    """`ExportableStore` of the bucket that documents arrive in."""

    name = "sources"

    def __init__(self, *, client: "S3Client", bucket: str, documents: Documents) -> None:
        self._client = client
        self._bucket = bucket
        self._documents = documents

    def export(self, subject: Subject, after: str | None) -> ExportedPage:
        """Return some files, by name where that is short enough; of a user none: documents are the tenant's own."""
        if subject.user is not None:
            return ExportedPage()
        prefix = object_key(subject.tenant, "")
        with store_errors("S3"):
            listed = self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=prefix, StartAfter=after or prefix, MaxKeys=_PAGE
            )
        keys = [each.get("Key", "") for each in listed.get("Contents", [])]
        bodies = {key.removeprefix(prefix): self._body(key) for key in keys if self._shown(subject, key, prefix)}
        paths = {name: original_path(subject.tenant, name) for name, body in bodies.items() if body is not None}
        return ExportedPage(
            originals={path: bodies[name] or b"" for name, path in paths.items()},
            names={path: name for name, path in paths.items() if not path.endswith(name)},
            after=keys[-1] if listed.get("IsTruncated") else None,
        )

    def _shown(self, subject: Subject, key: str, prefix: str) -> bool:
        """Say whether nothing is known against the object: one that was put just now has no row yet."""
        with suppress(NotFoundError):
            found = self._documents.get(subject.tenant, document_id(subject.tenant, key.removeprefix(prefix)))
            return found.state is not DocumentState.DELETING
        return True

    def _body(self, key: str) -> bytes | None:
        with store_errors("S3"):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except ClientError as error:
                if error_code(error) in ("NoSuchKey", "404"):
                    return None
                raise
