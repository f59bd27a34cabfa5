"""The contracts of `Imports` and `StagedFiles`, held by the fakes, by DynamoDB and by S3."""

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest

from plinth.adapters.dynamo_imports import RUN_SECONDS, DynamoImports
from plinth.adapters.dynamodb_table import Table
from plinth.adapters.s3_staging import S3Staging
from plinth.contracts.importing import ImportedFile, ImportFailure, ImportRecord, ImportState
from plinth.contracts.tenant import Tenant
from plinth.errors import DocumentRefusedError, NotFoundError
from plinth.ports.importing import Imports, StagedFiles
from tests.contract.adapters.conftest import at_once
from tests.fakes.clock import FakeClock
from tests.fakes.imports import FakeImports, FakeStagedFiles

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BODY = b"What the file says."
FILE = ImportedFile(
    name="a/b ü.txt",
    sha256=hashlib.sha256(BODY).hexdigest(),
    size_bytes=len(BODY),
    content_type="text/plain",
    metadata={"team": "café"},
)


@pytest.fixture(params=["fake", "dynamodb"])
def imports(request: pytest.FixtureRequest, clock: FakeClock) -> Imports:
    if request.param == "fake":
        return FakeImports(clock)
    table: Table = request.getfixturevalue("table")
    return DynamoImports(table=table, clock=clock)


@pytest.fixture(params=["fake", "s3"])
def staged(request: pytest.FixtureRequest) -> StagedFiles:
    return request.getfixturevalue(f"{request.param}_staging")


@pytest.fixture
def fake_staging() -> FakeStagedFiles:
    return FakeStagedFiles()


@pytest.fixture
def s3_staging(s3: "S3Client", bucket: str) -> S3Staging:
    return S3Staging(client=s3, bucket=bucket, documents_bucket=bucket)


def prepared(imports: Imports, tenant: Tenant, clock: FakeClock, *, files: int = 3) -> str:
    import_id = f"imp_{uuid4().hex[:24]}"
    record = ImportRecord(
        import_id=import_id,
        state=ImportState.UPLOADING,
        files=files,
        unchanged=1,
        created_at=clock.now(),
        tolerated_failure_percentage=5,
    )
    assert imports.prepare(tenant, record) == record
    return import_id


def test_an_import_counts_each_document_once_and_lists_what_failed(
    imports: Imports, tenant: Tenant, clock: FakeClock
) -> None:
    import_id = prepared(imports, tenant, clock)
    batch = imports.begin(tenant, import_id)
    assert batch
    failure = ImportFailure(name="b.txt", reason="empty", message="there is no text")

    for _ in range(2):
        imports.note(batch, "doc_a", None)
        imports.note(batch, "doc_b", failure)
    imports.close(batch, ImportState.DONE)

    record = imports.get(tenant, import_id)
    assert (record.state, record.ready, record.failed, record.unchanged) == (ImportState.DONE, 1, 1, 1)
    assert record.failures == (failure,)


def test_notes_at_the_same_moment_are_all_counted(imports: Imports, tenant: Tenant, clock: FakeClock) -> None:
    import_id = prepared(imports, tenant, clock)
    batch = imports.begin(tenant, import_id)
    assert batch
    calls: list[Callable[[], None]] = [
        lambda number=number: imports.note(batch, f"doc_{number}", None) for number in range(8)
    ]

    at_once(calls)

    assert imports.get(tenant, import_id).ready == 8


def test_only_one_start_at_a_time_begins_an_attempt(imports: Imports, tenant: Tenant, clock: FakeClock) -> None:
    import_id = prepared(imports, tenant, clock)

    first = imports.begin(tenant, import_id)
    assert first
    assert imports.begin(tenant, import_id) is None
    assert imports.prepare(tenant, imports.get(tenant, import_id)).state is ImportState.RUNNING
    imports.note(first, "doc_a", ImportFailure(name="a", reason="r", message="m"))
    imports.close(first, ImportState.STOPPED)
    second = imports.begin(tenant, import_id)

    assert second
    assert (first.attempt, second.attempt) == (1, 2)
    imports.note(first, "doc_b", None)
    imports.close(first, ImportState.DONE)
    record = imports.get(tenant, import_id)
    assert (record.state, record.ready, record.failed, record.failures) == (ImportState.RUNNING, 0, 0, ())


def test_an_import_that_nobody_closed_counts_as_stopped_when_its_time_is_over(
    imports: Imports, tenant: Tenant, clock: FakeClock
) -> None:
    import_id = prepared(imports, tenant, clock)
    imports.begin(tenant, import_id)

    clock.advance(RUN_SECONDS + 1)

    assert imports.get(tenant, import_id).state is ImportState.STOPPED
    assert imports.begin(tenant, import_id) is not None


@pytest.mark.guarantee_e
def test_an_import_of_another_tenant_is_absent(
    imports: Imports, tenant: Tenant, other_tenant: Tenant, clock: FakeClock
) -> None:
    import_id = prepared(imports, tenant, clock)
    imports.await_event(tenant, "doc_a", task_token="token")

    for call in (imports.get, imports.begin):
        with pytest.raises(NotFoundError):
            call(other_tenant, import_id)
    assert imports.awaited(other_tenant, "doc_a") is None


def test_the_last_token_that_was_left_is_the_one_that_waits(imports: Imports, tenant: Tenant) -> None:
    assert imports.awaited(tenant, "doc_a") is None
    imports.await_event(tenant, "doc_a", task_token="one")
    imports.await_event(tenant, "doc_a", task_token="two")

    assert imports.awaited(tenant, "doc_a") == "two"


def test_a_manifest_comes_back_and_one_of_another_tenant_is_absent(
    staged: StagedFiles, tenant: Tenant, other_tenant: Tenant
) -> None:
    staged.put_manifest(tenant, "imp_1", [FILE])

    assert staged.manifest(tenant, "imp_1") == [FILE]
    for owner, import_id in ((tenant, "imp_2"), (other_tenant, "imp_1")):
        with pytest.raises(NotFoundError):
            staged.manifest(owner, import_id)


def test_files_are_missing_until_their_bytes_are_there_and_a_file_without_bytes_can_not_be_placed(
    staged: StagedFiles, tenant: Tenant
) -> None:
    assert staged.missing(tenant, [FILE, FILE]) == [FILE]
    with pytest.raises(DocumentRefusedError) as refused:
        staged.place(tenant, FILE)
    assert refused.value.reason == "not_uploaded"


def test_an_upload_takes_the_bytes_of_its_hash_alone_and_is_placed_with_type_and_metadata(
    s3_staging: S3Staging, s3: "S3Client", bucket: str, tenant: Tenant, other_tenant: Tenant
) -> None:
    upload = s3_staging.upload(tenant, FILE)
    other = BODY.replace(b"says", b"lies")

    assert httpx.put(upload.url, headers=upload.headers, content=other).status_code == 400
    assert s3_staging.missing(tenant, [FILE]) == [FILE]
    assert httpx.put(upload.url, headers=upload.headers, content=BODY).status_code == 200
    assert s3_staging.missing(tenant, [FILE]) == []
    assert s3_staging.missing(other_tenant, [FILE]) == [FILE]

    s3_staging.place(tenant, FILE)

    found = s3.get_object(Bucket=bucket, Key=f"{tenant.id}/{FILE.name}")
    assert found["Body"].read() == BODY
    assert (found["ContentType"], found["Metadata"]) == ("text/plain", {"team": "caf%C3%A9"})
