"""Where the files of exports lie: `tenants/<tenant>/exports/<id>/files/`, which expires, with notes of them beside."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from plinth.adapters.aws_calls import store_errors
from plinth.adapters.erasable_objects import VersionedBucket
from plinth.contracts.exporting import Export, ExportedFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LINK_SECONDS = 300


class S3ExportFiles:
    """`ExportFiles` in a bucket. The client must sign with s3v4: `aws_calls.S3_CALLS`."""

    def __init__(self, *, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, export: Export, path: str, body: bytes) -> None:
        """Store the bytes."""
        self._put(f"{_prefix(export)}files/{path}", body)

    def note(self, export: Export, files: Sequence[ExportedFile]) -> None:
        """Keep the notes under the turn, so that a repeated try replaces them."""
        self._put(f"{_prefix(export)}notes/{export.turn:06d}", msgspec.json.encode(files))

    def noted(self, export: Export) -> list[ExportedFile]:
        """Read the notes of the turns that counted."""
        found: dict[str, ExportedFile] = {}
        for key, _ in self._listed(f"{_prefix(export)}notes/", after=""):
            with store_errors("S3"):
                body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            found.update({each.path: each for each in msgspec.json.decode(body, type=list[ExportedFile])})
        return [found[path] for path in sorted(found)]

    def page(self, export: Export, *, after: str, limit: int) -> list[tuple[str, int]]:
        """List the files behind a path."""
        prefix = f"{_prefix(export)}files/"
        with store_errors("S3"):
            listed = self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=prefix, StartAfter=f"{prefix}{after}", MaxKeys=limit
            )
        return [(each.get("Key", "").removeprefix(prefix), each.get("Size", 0)) for each in listed.get("Contents", [])]

    def link(self, export: Export, path: str) -> str:
        """Return a GET that is good for 5 minutes, and that a browser saves as a file."""
        name = quote(path.rpartition("/")[2], safe="")
        params = {
            "Bucket": self._bucket,
            "Key": f"{_prefix(export)}files/{path}",
            "ResponseContentDisposition": f"attachment; filename*=UTF-8''{name}",
        }
        with store_errors("S3"):
            return self._client.generate_presigned_url("get_object", Params=params, ExpiresIn=LINK_SECONDS)

    def remove(self, export: Export) -> None:
        """Delete every version of every file and note."""
        bucket = VersionedBucket(client=self._client, bucket=self._bucket)
        found, after = bucket.page(_prefix(export), None)
        bucket.delete(found)
        while after:
            found, after = bucket.page(_prefix(export), after)
            bucket.delete(found)

    def _put(self, key: str, body: bytes) -> None:
        with store_errors("S3"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/octet-stream")

    def _listed(self, prefix: str, *, after: str) -> Iterator[tuple[str, int]]:
        while True:
            with store_errors("S3"):
                page = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, StartAfter=after or prefix)
            keys = [(each.get("Key", ""), each.get("Size", 0)) for each in page.get("Contents", [])]
            yield from keys
            if not page.get("IsTruncated"):
                return
            after = keys[-1][0]


def _prefix(export: Export) -> str:
    return f"tenants/{export.subject.tenant.id}/exports/{export.id}/"
