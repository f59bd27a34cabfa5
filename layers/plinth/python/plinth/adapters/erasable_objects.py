"""Which objects go, with all their versions and delete markers: a document's, or all under a tenant's prefix."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from plinth.adapters.aws_calls import store_errors
from plinth.contracts.erasing import ErasedPage, Extent, Target
from plinth.errors import StoreUnavailableError
from plinth.memory.naming import object_key
from plinth.money.usage_csv import without_person
from plinth.ports.documents import Documents

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import DeleteMarkerEntryTypeDef, ObjectVersionTypeDef

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_PAGE = 1000
"""Entries of one listing, and objects of one DeleteObjects (S3 API reference)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A version or a delete marker of an object."""

    key: str
    version_id: str
    latest: bool
    marker: bool
    at: datetime


class VersionedBucket:
    """A bucket as an erasure sees it: every version and marker, deleted for good."""

    def __init__(self, *, client: "S3Client", bucket: str) -> None:
        self.client = client
        self.bucket = bucket

    def page(self, prefix: str, after: str | None) -> tuple[list[Entry], str | None]:
        """Return entries under the prefix, by key and from new to old, and where to go on."""
        request: dict[str, Any] = {"Bucket": self.bucket, "Prefix": prefix, "MaxKeys": _PAGE}
        if after:
            key, version = msgspec.json.decode(after, type=tuple[str, str])
            request |= {"KeyMarker": key, **({"VersionIdMarker": version} if version else {})}
        with store_errors("S3"):
            answer = self.client.list_object_versions(**request)
        found = [
            *(_entry(each, marker=False) for each in answer.get("Versions", [])),
            *(_entry(each, marker=True) for each in answer.get("DeleteMarkers", [])),
        ]
        if not answer.get("IsTruncated"):
            return found, None
        going_on = (answer.get("NextKeyMarker", ""), answer.get("NextVersionIdMarker", ""))
        return found, msgspec.json.encode(going_on).decode()

    def delete(self, entries: Iterable[Entry]) -> int:
        """Delete the entries for good; return how many."""
        gone = list(entries)
        for start in range(0, len(gone), _PAGE):
            objects: Any = [{"Key": each.key, "VersionId": each.version_id} for each in gone[start : start + _PAGE]]
            with store_errors("S3"):
                answer = self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True})
            if answer.get("Errors"):
                raise StoreUnavailableError(f"S3 kept {len(answer['Errors'])} versions: try again later")
        return len(gone)


class ErasableSources:
    """`ErasableStore` of the documents' own objects.

    A document that was uploaded anew after its deletion keeps what is newer than the deletion's marker.
    """

    name = "sources"

    def __init__(self, bucket: VersionedBucket) -> None:
        self._bucket = bucket

    def erase(self, target: Target, after: str | None) -> ErasedPage:
        """Delete a page of versions and markers; of a user none, since documents are the tenant's own."""
        if target.extent is Extent.USER:
            return ErasedPage()
        prefix = f"{target.tenant.id}/"
        if target.extent is Extent.DOCUMENT:
            prefix = object_key(target.tenant, target.object_name)
        found, going_on = self._bucket.page(prefix, after)
        if target.extent is Extent.DOCUMENT:
            own = [each for each in found if each.key == prefix]
            found, going_on = _covered(own), going_on if len(own) == len(found) else None
        return ErasedPage(removed=self._bucket.delete(found), after=going_on)


class ErasableWork:
    """`ErasableStore` of what ingestion left behind; of a document, up to the sequence of its deletion."""

    name = "work"

    def __init__(self, bucket: VersionedBucket, documents: Documents) -> None:
        self._bucket = bucket
        self._documents = documents

    def erase(self, target: Target, after: str | None) -> ErasedPage:
        """Delete a page of objects; of a user none."""
        if target.extent is Extent.USER:
            return ErasedPage()
        if target.extent is Extent.TENANT:
            found, going_on = self._bucket.page(f"{target.tenant.id}/", after)
            return ErasedPage(removed=self._bucket.delete(found), after=going_on)
        through = self._documents.erased_through(target.tenant, target.name)
        if through is None:
            return ErasedPage(left=1)
        found, going_on = self._bucket.page(f"{target.tenant.id}/{target.name}/", after)
        removed = self._bucket.delete(each for each in found if each.key.split("/")[2][: len(through)] <= through)
        return ErasedPage(removed=removed, after=going_on)


class ErasableExports:
    """`ErasableStore` of files for people: a tenant's own exports go, monthly usage files are written without them."""

    name = "exports"

    def __init__(self, bucket: VersionedBucket) -> None:
        self._bucket = bucket

    def erase(self, target: Target, after: str | None) -> ErasedPage:
        """Delete the exports of whoever is erased, and rewrite the usage files, old versions included."""
        if after is None or after.startswith("own"):
            found, going_on = self._bucket.page(own_prefix(target), after.removeprefix("own") if after else None)
            removed = self._bucket.delete(found)
            usage = None if target.extent is Extent.DOCUMENT else "usage"
            return ErasedPage(removed=removed, after=f"own{going_on}" if going_on else usage)
        return ErasedPage(removed=self._rewrite(target))

    def _rewrite(self, target: Target) -> int:
        found, after = self._bucket.page("usage/", None)
        while after:
            more, after = self._bucket.page("usage/", after)
            found += more
        changed = 0
        for each in found:
            changed += self._rewrite_one(each, target) if not each.marker else 0
        return changed

    def _rewrite_one(self, entry: Entry, target: Target) -> int:
        """Put the file without the person in place of it; an older version with them is deleted."""
        client, bucket = self._bucket.client, self._bucket.bucket
        with store_errors("S3"):
            stored = client.get_object(Bucket=bucket, Key=entry.key, VersionId=entry.version_id)
            before = stored["Body"].read()
        user = target.name if target.extent is Extent.USER else None
        after = without_person(before, target.tenant, user)
        if after == before:
            return 0
        if entry.latest:
            with store_errors("S3"):
                client.put_object(Bucket=bucket, Key=entry.key, Body=after, ContentType=stored["ContentType"])
        return self._bucket.delete([entry])


def own_prefix(target: Target) -> str:
    """Return where a tenant's own exports lie: they hold what all of its users said, and all of its documents."""
    return f"tenants/{target.tenant.id}/"


def _covered(entries: Sequence[Entry]) -> list[Entry]:
    """Return what the deletion covers: everything behind a marker that is the latest, or behind the last marker."""
    marked = max((each.at for each in entries if each.marker), default=None)
    if marked is None:
        return []
    if any(each.latest and each.marker for each in entries):
        return list(entries)
    return [each for each in entries if not each.latest and each.at <= marked]


def _entry(listed: "ObjectVersionTypeDef | DeleteMarkerEntryTypeDef", *, marker: bool) -> Entry:
    return Entry(
        key=listed.get("Key", ""),
        version_id=listed.get("VersionId", "null"),
        latest=bool(listed.get("IsLatest")),
        marker=marker,
        at=listed.get("LastModified", _LONG_AGO),
    )
