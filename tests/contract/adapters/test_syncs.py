"""The contracts of `Syncs` and `SyncedObjects`, held by the fakes, by DynamoDB and by S3."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import sleep
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from plinth.adapters.dynamo_syncs import INTENDED_SECONDS, DynamoSyncs
from plinth.adapters.dynamodb_table import Table
from plinth.adapters.lambda_passes import LambdaPasses
from plinth.adapters.s3_synced_objects import S3SyncedObjects
from plinth.contracts.importing import ImportedFile, ImportFailure, SyncedObject
from plinth.contracts.syncs import LastPass, ListedObject, Sync
from plinth.contracts.tenant import Tenant
from plinth.errors import DocumentRefusedError, NotFoundError, SourceUnreadableError, StoreUnavailableError
from plinth.memory.prefix_sync import sync_id
from plinth.memory.tagging import OWN_MARK
from plinth.ports.syncs import SyncedObjects, Syncs
from tests.contract.adapters.conftest import Cloud
from tests.fakes.clock import FakeClock
from tests.fakes.syncs import FakeSyncedObjects, FakeSyncs

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.guarantee_d


@pytest.fixture(params=["fake", "dynamodb"])
def syncs(request: pytest.FixtureRequest, clock: FakeClock) -> Syncs:
    if request.param == "fake":
        return FakeSyncs(clock)
    table: Table = request.getfixturevalue("table")
    return DynamoSyncs(table=table, clock=clock)


def sync_of(tenant: Tenant, *, bucket: str = "team", prefix: str = "docs/") -> Sync:
    return Sync(
        id=sync_id(tenant, bucket, prefix),
        tenant=tenant,
        bucket=bucket,
        prefix=prefix,
        every_seconds=3600,
        due_at=5.0,
        pattern="{department}/",
        metadata={"access": "staff", "kind": "café"},
    )


def version_of(sync: Sync, *, key: str = "docs/a.md", etag: str = "e1") -> SyncedObject:
    return SyncedObject(sync_id=sync.id, bucket=sync.bucket, key=key, etag=etag, fingerprint=f"f-{etag}")


def test_a_sync_comes_back_as_it_was_saved_and_keeps_its_last_pass_when_it_is_saved_again(
    syncs: Syncs, tenant: Tenant
) -> None:
    sync = sync_of(tenant)
    assert syncs.save(sync) == sync
    last = LastPass(at=7.0, seen=2, added=1, refused=(ImportFailure(name="a", reason="r", message="m"),))

    syncs.note(sync, last, due_at=9.0)
    noted = syncs.get(tenant, sync.id)
    again = syncs.save(replace(sync, pattern="", metadata={}, due_at=11.0))

    assert noted == replace(sync, last=last, due_at=9.0)
    assert again == replace(sync, pattern="", metadata={}, due_at=11.0, last=last)
    assert syncs.of(tenant) == [again]


def test_a_sync_that_is_removed_is_due_at_once_and_one_that_is_added_again_is_not_removed(
    syncs: Syncs, tenant: Tenant
) -> None:
    sync = syncs.save(sync_of(tenant))

    syncs.remove(sync, "erase")

    assert (syncs.get(tenant, sync.id).removal, syncs.get(tenant, sync.id).due_at) == ("erase", 0)
    assert syncs.save(sync).removal is None


@pytest.mark.parametrize("meanwhile", ["added", "removed"])
def test_a_pass_leaves_the_due_time_that_was_set_meanwhile(syncs: Syncs, tenant: Tenant, meanwhile: str) -> None:
    sync = syncs.save(sync_of(tenant))
    if meanwhile == "added":
        syncs.save(replace(sync, due_at=6.5))
    else:
        syncs.remove(sync, "keep")

    syncs.note(sync, LastPass(at=7.0), due_at=9.0)

    noted = syncs.get(tenant, sync.id)
    assert (noted.due_at, noted.last) == (6.5 if meanwhile == "added" else 0, LastPass(at=7.0))


def test_the_end_of_a_removal_leaves_a_sync_that_was_added_again_meanwhile(syncs: Syncs, tenant: Tenant) -> None:
    sync = syncs.save(sync_of(tenant))
    syncs.remove(sync, "keep")
    removed = syncs.get(tenant, sync.id)
    syncs.save(sync)

    syncs.end_removal(removed)
    assert syncs.of(tenant) == [sync]
    syncs.remove(sync, "keep")
    syncs.end_removal(removed)

    assert syncs.of(tenant) == []


def test_a_dropped_sync_is_gone_whatever_is_noted_later(syncs: Syncs, tenant: Tenant) -> None:
    sync = syncs.save(sync_of(tenant))

    syncs.drop(sync)
    syncs.note(sync, LastPass(at=7.0), due_at=9.0)
    syncs.remove(sync, "keep")

    assert syncs.of(tenant) == []
    with pytest.raises(NotFoundError):
        syncs.get(tenant, sync.id)
    assert syncs.save(sync).id == sync.id
    assert [each.id for each in syncs.of(tenant)] == [sync.id]


def test_what_was_brought_is_known_by_its_last_fingerprint_until_it_is_released(syncs: Syncs, tenant: Tenant) -> None:
    sync = syncs.save(sync_of(tenant))

    syncs.bring(tenant, "doc_a", version_of(sync))
    syncs.bring(tenant, "doc_a", version_of(sync, etag="e2"))
    syncs.bring(tenant, "doc_b", version_of(sync))
    syncs.release(sync, "doc_b")

    assert syncs.brought(sync) == {"doc_a": "f-e2"}


def test_what_is_intended_is_known_without_its_version_until_it_is_brought_or_forgotten_if_it_never_was(
    syncs: Syncs, tenant: Tenant, clock: FakeClock
) -> None:
    sync = syncs.save(sync_of(tenant))
    syncs.bring(tenant, "doc_c", version_of(sync))
    for document in ("doc_a", "doc_b", "doc_c"):
        syncs.intend(tenant, document, version_of(sync))
    assert set(syncs.brought(sync)) == {"doc_a", "doc_b", "doc_c"}
    assert "f-e1" not in syncs.brought(sync).values()

    syncs.bring(tenant, "doc_a", version_of(sync))
    clock.advance(INTENDED_SECONDS + 1)

    assert set(syncs.brought(sync)) == {"doc_a", "doc_c"}
    assert syncs.brought(sync)["doc_a"] == "f-e1"
    syncs.release(sync, "doc_c")
    assert syncs.brought(sync) == {"doc_a": "f-e1"}


@pytest.mark.guarantee_e
def test_a_sync_of_another_tenant_is_absent(syncs: Syncs, tenant: Tenant, other_tenant: Tenant) -> None:
    sync, other = syncs.save(sync_of(tenant)), syncs.save(sync_of(other_tenant))
    syncs.bring(tenant, "doc_a", version_of(sync))

    assert [each.id for each in syncs.of(other_tenant)] == [other.id]
    assert syncs.brought(other) == {}
    with pytest.raises(NotFoundError):
        syncs.get(other_tenant, sync.id)


@dataclass
class Store:
    """The port over a source bucket of its own, and how a test fills that and looks at the copies."""

    objects: SyncedObjects
    source: str
    put: Callable[[str, bytes, dict[str, str]], None]
    copy: Callable[[Tenant, str], tuple[bytes, dict[str, str]] | None]
    upload: Callable[[Tenant, str, bytes], None]


@pytest.fixture(params=["fake", "s3"])
def store(request: pytest.FixtureRequest) -> Store:
    source = f"source-{uuid4().hex}"
    return (_fake if request.param == "fake" else _real)(request, source)


def _fake(_: pytest.FixtureRequest, source: str) -> Store:
    fake = FakeSyncedObjects()
    fake.buckets[source] = {}

    def upload(tenant: Tenant, name: str, body: bytes) -> None:
        fake.documents[tenant, name] = body, {}

    return Store(
        objects=fake,
        source=source,
        put=lambda key, body, tags: fake.put(source, key, body, **tags),
        copy=lambda tenant, name: fake.documents.get((tenant, name)),
        upload=upload,
    )


def _real(request: pytest.FixtureRequest, source: str) -> Store:
    client: S3Client = request.getfixturevalue("s3")
    bucket: str = request.getfixturevalue("bucket")
    client.create_bucket(Bucket=source)

    def put(key: str, body: bytes, tags: dict[str, str]) -> None:
        tagging = "&".join(f"{name}={value}" for name, value in tags.items())
        client.put_object(Bucket=source, Key=key, Body=body, ContentType="text/plain", Tagging=tagging)

    def copy(tenant: Tenant, name: str) -> tuple[bytes, dict[str, str]] | None:
        listed = client.list_objects_v2(Bucket=bucket, Prefix=f"{tenant.id}/{name}").get("Contents", [])
        if not listed:
            return None
        found = client.get_object(Bucket=bucket, Key=f"{tenant.id}/{name}")
        return found["Body"].read(), dict(found["Metadata"])

    def upload(tenant: Tenant, name: str, body: bytes) -> None:
        client.put_object(Bucket=bucket, Key=f"{tenant.id}/{name}", Body=body)

    objects = S3SyncedObjects(client=client, documents_bucket=bucket)
    return Store(objects=objects, source=source, put=put, copy=copy, upload=upload)


def file_of(store: Store, found: ListedObject, **metadata: str) -> ImportedFile:
    source = SyncedObject(sync_id="mine", bucket=store.source, key=found.key, etag=found.etag, fingerprint="f")
    return ImportedFile(
        name=f"{store.source}/{found.key}",
        sha256="",
        size_bytes=found.size_bytes,
        content_type="text/plain",
        metadata={**metadata, OWN_MARK: "mine"},
        source=source,
    )


def the_only(store: Store) -> ListedObject:
    (found,) = store.objects.listed(store.source, "docs/")
    return found


def test_objects_below_the_prefix_are_listed_with_what_tells_their_versions_apart(store: Store) -> None:
    store.put("docs/ü/a.md", b"one", {})
    store.put("docs/", b"", {})
    store.put("other/b.md", b"two", {})

    first = the_only(store)
    store.put("docs/ü/a.md", b"three", {})
    second = the_only(store)

    assert (first.key, first.size_bytes, second.size_bytes) == ("docs/ü/a.md", 3, 5)
    assert first.etag != second.etag


def test_the_same_bytes_put_again_are_listed_as_another_version(store: Store) -> None:
    store.put("docs/a.md", b"one", {})
    first = the_only(store)
    sleep(1.1)

    store.put("docs/a.md", b"one", {"access": "staff"})

    assert the_only(store).modified_at > first.modified_at


def test_a_bucket_that_is_not_there_can_not_be_read(store: Store) -> None:
    with pytest.raises(SourceUnreadableError, match="absent"):
        list(store.objects.listed(f"absent-{uuid4().hex}", ""))


def test_a_copy_has_the_bytes_and_the_metadata_and_its_own_sync(store: Store, tenant: Tenant) -> None:
    store.put("docs/a.md", b"one", {"team": "pumps"})
    found = the_only(store)
    file = file_of(store, found, team="pumps")
    assert file.source
    assert store.objects.owner(tenant, file.name) is None

    facts = store.objects.describe(file.source)
    store.objects.place(tenant, file)

    assert (facts.content_type, dict(facts.tags)) == ("text/plain", {"team": "pumps"})
    assert store.copy(tenant, file.name) == (b"one", {"team": "pumps", "sync": "mine"})
    assert store.objects.owner(tenant, file.name) == "mine"


@pytest.mark.parametrize("call", ["describe", "place"])
def test_a_version_that_is_no_longer_current_is_refused(store: Store, tenant: Tenant, call: str) -> None:
    store.put("docs/a.md", b"one", {})
    file = file_of(store, the_only(store))
    assert file.source
    store.put("docs/a.md", b"changed", {})

    with pytest.raises(DocumentRefusedError) as changed:
        store.objects.describe(file.source) if call == "describe" else store.objects.place(tenant, file)
    gone = replace(file, source=replace(file.source, key="docs/never.md"))
    with pytest.raises(DocumentRefusedError) as absent:
        store.objects.describe(gone.source) if call == "describe" and gone.source else store.objects.place(tenant, gone)

    assert (changed.value.reason, absent.value.reason) == ("source_changed", "source_gone")
    assert store.copy(tenant, file.name) is None


def test_a_copy_is_taken_away_once_and_what_somebody_else_put_in_its_place_is_not(store: Store, tenant: Tenant) -> None:
    store.put("docs/a.md", b"one", {})
    file = file_of(store, the_only(store))
    store.objects.place(tenant, file)

    assert not store.objects.withdraw(tenant, file.name, "another")
    assert store.objects.withdraw(tenant, file.name, "mine")
    assert not store.objects.withdraw(tenant, file.name, "mine")
    assert store.copy(tenant, file.name) is None

    store.objects.place(tenant, file)
    store.upload(tenant, file.name, b"theirs")
    assert store.objects.owner(tenant, file.name) == ""
    assert not store.objects.withdraw(tenant, file.name, "mine")
    assert store.copy(tenant, file.name) == (b"theirs", {})


def test_what_is_uploaded_while_a_copy_is_taken_away_stays(
    s3: "S3Client", bucket: str, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"team/{uuid4().hex}.md"
    s3.put_object(Bucket=bucket, Key=f"{tenant.id}/{name}", Body=b"copy", Metadata={OWN_MARK: "mine"})
    delete = s3.delete_object

    def late(**given: str) -> object:
        s3.put_object(Bucket=bucket, Key=f"{tenant.id}/{name}", Body=b"theirs")
        return delete(**given)

    monkeypatch.setattr(s3, "delete_object", late)

    assert not S3SyncedObjects(client=s3, documents_bucket=bucket).withdraw(tenant, name, "mine")
    assert s3.get_object(Bucket=bucket, Key=f"{tenant.id}/{name}")["Body"].read() == b"theirs"


def test_a_function_that_can_not_be_called_is_a_store_that_does_not_answer(cloud: Cloud) -> None:
    away = replace(cloud, endpoint="http://127.0.0.1:9")

    with pytest.raises(StoreUnavailableError):
        LambdaPasses(client=away.client("lambda"), function="sync").begin("acme-0")
