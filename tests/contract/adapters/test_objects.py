"""The contracts of `SourceObjects`, `WorkObjects` and `Exports`, held by the fakes and by S3."""

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from botocore.exceptions import EndpointConnectionError

from plinth.adapters.aws_calls import S3_CALLS
from plinth.adapters.s3_documents import S3Documents
from plinth.adapters.s3_exports import S3Exports
from plinth.adapters.s3_work import S3Work
from plinth.contracts.memory import DocumentVersion, SourceObject, UploadContent
from plinth.contracts.tenant import Tenant
from plinth.errors import DocumentRefusedError, StoreUnavailableError
from plinth.ports.documents import SourceObjects, WorkObjects
from plinth.ports.runs import Exports
from tests.contract.adapters.conftest import Cloud
from tests.fakes.objects import FakeExports, FakeSources, FakeWork

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Version = Callable[..., DocumentVersion]
LIMIT = 100


@dataclass
class Bucket:
    """The port, and how an uploader puts a version into this store; it returns the version's id."""

    sources: SourceObjects
    put: Callable[[Tenant, str, bytes, str], str]


@pytest.fixture(params=["fake", "s3"])
def store(request: pytest.FixtureRequest) -> Bucket:
    if request.param == "fake":
        fake = FakeSources(max_bytes=LIMIT)
        return Bucket(fake, fake.put)
    client: S3Client = request.getfixturevalue("s3")
    name: str = request.getfixturevalue("bucket")

    def put(tenant: Tenant, key: str, body: bytes, content_type: str) -> str:
        stored = client.put_object(Bucket=name, Key=f"{tenant.id}/{key}", Body=body, ContentType=content_type)
        return stored["VersionId"]

    return Bucket(S3Documents(client=client, bucket=name, max_bytes=LIMIT), put)


@pytest.fixture(params=["fake", "s3"])
def work(request: pytest.FixtureRequest) -> WorkObjects:
    if request.param == "fake":
        return FakeWork()
    return S3Work(client=request.getfixturevalue("s3"), bucket=request.getfixturevalue("bucket"))


def test_a_version_is_fetched_as_it_was_put_though_a_newer_one_came(
    store: Bucket, tenant: Tenant, version: Version
) -> None:
    first = store.put(tenant, "a.txt", b"one", "text/plain")
    store.put(tenant, "a.txt", b"two", "text/html")

    fetched = store.sources.fetch(replace(version(1), version_id=first))
    assert fetched == SourceObject(body=b"one", content_type="text/plain")
    assert store.sources.fetch(version(1)) == SourceObject(body=b"two", content_type="text/html")


def test_an_object_that_is_gone_is_refused_with_a_reason(store: Bucket, tenant: Tenant, version: Version) -> None:
    stored = store.put(tenant, "a.txt", b"one", "text/plain")
    store.sources.delete(tenant, "a.txt")

    for document in (version(1), replace(version(1), version_id=stored), version(1, name="never.txt")):
        with pytest.raises(DocumentRefusedError) as refused:
            store.sources.fetch(document)
        assert refused.value.reason == "source_gone"


@pytest.mark.guarantee_d
def test_the_current_objects_are_the_newest_versions_of_one_tenant_without_deleted_ones(
    store: Bucket, tenant: Tenant, other_tenant: Tenant
) -> None:
    store.put(tenant, "deep/a ü.txt", b"one", "text/plain")
    newest = store.put(tenant, "deep/a ü.txt", b"three", "text/plain")
    store.put(tenant, "gone.txt", b"gone", "text/plain")
    store.sources.delete(tenant, "gone.txt")
    store.put(tenant, "folder/", b"", "application/x-directory")
    store.put(other_tenant, "b.txt", b"foreign", "text/plain")

    (found,) = store.sources.current(tenant)

    assert (found.name, found.version_id, found.size_bytes) == ("deep/a ü.txt", newest, 5)


@pytest.mark.guarantee_d
def test_more_objects_than_a_page_holds_are_listed_once_each(
    s3: "S3Client", bucket: str, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{number:02d}.txt" for number in range(7)]
    for name in [*names, *names]:
        s3.put_object(Bucket=bucket, Key=f"{tenant.id}/{name}", Body=b"x")
    whole, pages = s3.list_object_versions, list[object]()
    monkeypatch.setattr(
        s3, "list_object_versions", lambda **given: pages.append(page := whole(**given, MaxKeys=3)) or page
    )

    found = list(S3Documents(client=s3, bucket=bucket, max_bytes=LIMIT).current(tenant))

    assert [each.name for each in found] == names
    assert len(pages) > 1


def test_an_object_over_the_limit_is_refused(store: Bucket, tenant: Tenant, version: Version) -> None:
    store.put(tenant, "a.txt", b"x" * LIMIT, "text/plain")
    store.put(tenant, "big.txt", b"x" * (LIMIT + 1), "text/plain")

    assert len(store.sources.fetch(version(1)).body) == LIMIT
    with pytest.raises(DocumentRefusedError) as refused:
        store.sources.fetch(version(1, name="big.txt"))
    assert refused.value.reason == "too_large"


@pytest.mark.guarantee_d
def test_deletion_takes_every_version_of_one_object_and_of_no_other(
    s3: "S3Client", bucket: str, tenant: Tenant, other_tenant: Tenant
) -> None:
    keys = [f"{tenant.id}/a.txt", f"{tenant.id}/a.txt.bak", f"{tenant.id}/a", f"{other_tenant.id}/a.txt"]
    for key in [*keys, keys[0], keys[0]]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"canary")
    sources = S3Documents(client=s3, bucket=bucket, max_bytes=LIMIT)

    sources.delete(tenant, "a.txt")
    sources.delete(tenant, "a.txt")

    left = [
        found.get("Key")
        for each in (tenant, other_tenant)
        for found in s3.list_object_versions(Bucket=bucket, Prefix=each.id).get("Versions", [])
    ]
    assert sorted(map(str, left)) == sorted(keys[1:])


@pytest.mark.guarantee_d
@pytest.mark.parametrize("fault", [("DeleteObjects", 2), ("DeleteObject", 0)])
def test_a_deletion_that_fails_announces_nothing_and_is_whole_when_repeated(
    cloud: Cloud, s3: "S3Client", bucket: str, tenant: Tenant, fault: tuple[str, int]
) -> None:
    call, left = fault
    for body in (b"one", b"two"):
        s3.put_object(Bucket=bucket, Key=f"{tenant.id}/a.txt", Body=body)
    failing: S3Client = cloud.client("s3", S3_CALLS)

    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="s3")

    failing.meta.events.register(f"before-call.s3.{call}", fail)

    with pytest.raises(StoreUnavailableError):
        S3Documents(client=failing, bucket=bucket, max_bytes=LIMIT).delete(tenant, "a.txt")

    kept = s3.list_object_versions(Bucket=bucket, Prefix=tenant.id)
    assert (len(kept.get("Versions", [])), len(kept.get("DeleteMarkers", []))) == (left, 0)
    events = announced(cloud, s3, bucket, tenant)
    S3Documents(client=s3, bucket=bucket, max_bytes=LIMIT).delete(tenant, "a.txt")
    assert not s3.list_object_versions(Bucket=bucket, Prefix=tenant.id).get("Versions")
    assert "Delete Marker Created" in [each.get("deletion-type") for each in events(left + 1)]


@pytest.mark.guarantee_d
def test_the_bucket_announces_a_deletion_after_the_uploads_that_it_covers(
    cloud: Cloud, s3: "S3Client", bucket: str, tenant: Tenant
) -> None:
    events = announced(cloud, s3, bucket, tenant)
    s3.put_object(Bucket=bucket, Key=f"{tenant.id}/a.txt", Body=b"one")
    sources = S3Documents(client=s3, bucket=bucket, max_bytes=LIMIT)

    sources.delete(tenant, "a.txt")

    seen = events(3)
    sequences = {(each["object"]["key"], each.get("deletion-type", "")): each["object"]["sequencer"] for each in seen}
    marked = sequences[f"{tenant.id}/a.txt", "Delete Marker Created"]
    assert marked > sequences[f"{tenant.id}/a.txt", ""]


def announced(cloud: Cloud, s3: "S3Client", bucket: str, tenant: Tenant) -> Callable[[int], list[dict[str, Any]]]:
    """Route the events of the tenant's objects to a queue; return how to wait for so many of them."""
    sqs, rules = cloud.client("sqs"), cloud.client("events")
    url = sqs.create_queue(QueueName=tenant.id)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": f"{tenant.id}/"}]}}}
    rules.put_rule(Name=tenant.id, EventPattern=json.dumps(pattern))
    rules.put_targets(Rule=tenant.id, Targets=[{"Id": "queue", "Arn": arn}])
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})

    def wait(count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for _ in range(20):
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in messages.get("Messages", []):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"])["detail"])
            if len(found) >= count:
                break
        return found

    return wait


def test_an_upload_url_signs_size_and_type_and_takes_the_file(
    s3: "S3Client", bucket: str, tenant: Tenant, version: Version
) -> None:
    sources = S3Documents(client=s3, bucket=bucket, max_bytes=LIMIT)

    url = urlsplit(sources.upload(tenant, "ä b/c.txt", UploadContent(content_type="text/plain", size_bytes=5)).url)

    assert parse_qs(url.query)["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
    assert "checksum" not in url.query.lower()
    connection = http.client.HTTPConnection(str(url.hostname), url.port or 80, timeout=5)
    connection.request("PUT", f"{url.path}?{url.query}", body=b"hello", headers={"Content-Type": "text/plain"})
    assert connection.getresponse().status == 200
    connection.close()
    document = replace(version(1), object_key=f"{tenant.id}/ä b/c.txt")
    assert sources.fetch(document) == SourceObject(body=b"hello", content_type="text/plain")


def test_metadata_of_an_upload_is_signed_and_comes_back_with_the_object_and_its_tags(
    s3: "S3Client", bucket: str, tenant: Tenant, version: Version
) -> None:
    sources = S3Documents(client=s3, bucket=bucket, max_bytes=LIMIT)
    metadata = {"team": "docs", "place": "café 50%", "access": "a:b, c"}

    upload = sources.upload(tenant, "a.txt", UploadContent(content_type="text/plain", size_bytes=5, metadata=metadata))
    put = httpx.put(upload.url, headers=upload.headers, content=b"hello")
    s3.put_object_tagging(
        Bucket=bucket,
        Key=f"{tenant.id}/a.txt",
        Tagging={"TagSet": [{"Key": "team", "Value": "overruled"}, {"Key": "owner", "Value": "ann"}]},
    )

    assert put.status_code == 200
    signed = parse_qs(urlsplit(upload.url).query)["X-Amz-SignedHeaders"][0]
    assert {f"x-amz-meta-{name}" for name in metadata} <= set(signed.split(";"))
    assert sources.fetch(version(1)).tags == {**metadata, "owner": "ann"}


def test_work_is_kept_by_version_and_name(work: WorkObjects, version: Version) -> None:
    work.put(version(1), "text", b"old")
    work.put(version(1), "text", b"one")
    work.put(version(2), "text", b"two")

    assert (work.get(version(1), "text"), work.get(version(2), "text")) == (b"one", b"two")


def test_absent_work_is_transient(work: WorkObjects, version: Version) -> None:
    with pytest.raises(StoreUnavailableError):
        work.get(version(1), "vectors")


def test_work_that_may_be_absent_is_looked_for(work: WorkObjects, version: Version) -> None:
    work.put(version(1), "text", b"one")

    assert (work.find(version(1), "text"), work.find(version(1), "vectors")) == (b"one", None)


@pytest.mark.guarantee_e
def test_work_of_another_tenant_is_absent(work: WorkObjects, version: Version, other_tenant: Tenant) -> None:
    work.put(version(1), "text", b"one")

    with pytest.raises(StoreUnavailableError):
        work.get(version(1, tenant=other_tenant), "text")


@pytest.mark.parametrize("kind", ["fake", "s3"])
def test_an_export_replaces_the_one_before(request: pytest.FixtureRequest, kind: str, tenant: Tenant) -> None:
    key = f"usage/{tenant.id}.csv"
    fake = FakeExports()
    s3: S3Client | None = request.getfixturevalue("s3") if kind == "s3" else None
    bucket = request.getfixturevalue("bucket") if s3 else ""
    exports: Exports = S3Exports(client=s3, bucket=bucket) if s3 else fake

    exports.put(key, b"old")
    exports.put(key, b"new")

    assert (s3.get_object(Bucket=bucket, Key=key)["Body"].read() if s3 else fake.files[key]) == b"new"
