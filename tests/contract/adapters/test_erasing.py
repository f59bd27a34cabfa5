"""What erasures remove from real tables and buckets, what they leave, and how they hide."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from plinth.adapters import erasable_rows as rules
from plinth.adapters.dynamo_conversations import DynamoConversations
from plinth.adapters.dynamo_erasures import DynamoErasures
from plinth.adapters.dynamo_imports import DynamoImports
from plinth.adapters.dynamo_rows import Row, Rows
from plinth.adapters.dynamo_run_log import DynamoRunLog
from plinth.adapters.dynamo_runs import DynamoRuns
from plinth.adapters.dynamo_tenants import DynamoTenants
from plinth.adapters.dynamo_usage import DynamoUsage
from plinth.adapters.dynamodb_items import to_attributes
from plinth.adapters.erasable_objects import ErasableExports, ErasableSources, ErasableWork, VersionedBucket
from plinth.adapters.erasable_runs import ErasableRuns
from plinth.adapters.s3_fill_lists import S3FillLists
from plinth.adapters.s3_staging import S3Staging
from plinth.contracts.conversations import ModelSummary
from plinth.contracts.erasing import ErasedPage, Erasure, ErasureState, Extent, Target
from plinth.contracts.events import RunEnded
from plinth.contracts.importing import ImportedFile, ImportFailure, ImportRecord, ImportState
from plinth.contracts.reindexing import Reindex, ReindexState
from plinth.contracts.runs import IdempotencyKey, Run, RunRequest, RunStatus, Turn
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError, StoreUnavailableError, UnauthenticatedError
from plinth.ports.erasing import ErasableStore
from tests.contract.adapters.conftest import made_table
from tests.fakes.clock import FakeClock
from tests.fakes.documents import FakeDocuments

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

DOCUMENT = "doc_0123456789abcdef01234567"


class Erased:
    """A table of its own, as an erasure that scans it must have one."""

    def __init__(self, dynamodb: "DynamoDBClient", clock: FakeClock) -> None:
        self.table = made_table(dynamodb)
        self.rows = Rows(client=dynamodb, name=self.table.name)
        self._dynamodb = dynamodb
        self._clock = clock
        self.runs = DynamoRuns(table=self.table, clock=clock)
        self.log = DynamoRunLog(table=self.table, clock=clock)

    def put(self, pk: str, sk: str, **item: Any) -> None:
        self._dynamodb.put_item(
            TableName=self.table.name, Item={"pk": {"S": pk}, "sk": {"S": sk}, **to_attributes(item)}
        )

    def row_keys(self) -> set[tuple[str, str]]:
        return {(str(row["pk"]), str(row["sk"])) for row in self.all()}

    def all(self) -> list[Row]:
        return self.rows.page(None, limit=1000)[0]

    def accept(self, tenant: Tenant, number: int, user: str, *, ended: bool = True) -> Run:
        run = Run(id=f"run_{number:026d}", tenant=tenant, epoch=1, deadline=self._clock.now() + 270)
        request = RunRequest(question="why?", model="m", user=user)
        self.runs.accept(run, request, IdempotencyKey(key=f"key {number}", body_sha256="0"))
        if ended:
            self.log.append(run, [RunEnded(status=RunStatus.DONE, text_length=0)])
        return run


@pytest.fixture
def erased(dynamodb: "DynamoDBClient", clock: FakeClock) -> Erased:
    return Erased(dynamodb, clock)


def target(tenant: Tenant, extent: Extent, name: str = "", *, began_at: float = 2_000_000_000.0) -> Target:
    names = {Extent.DOCUMENT: DOCUMENT, Extent.USER: "ada", Extent.TENANT: tenant.id}
    return Target(extent=extent, tenant=tenant, name=name or names[extent], began_at=began_at)


def erase(store: ErasableStore, wanted: Target) -> ErasedPage:
    """Go through the whole store."""
    page = store.erase(wanted, None)
    removed, left = page.removed, page.left
    while page.after is not None:
        page = store.erase(wanted, page.after)
        removed, left = removed + page.removed, left + page.left
    return ErasedPage(removed=removed, left=left)


@pytest.mark.guarantee_d
@pytest.mark.parametrize("extent", Extent)
def test_runs_go_whole_with_their_keys_and_contents_and_no_others_do(
    erased: Erased, tenant: Tenant, other_tenant: Tenant, extent: Extent
) -> None:
    store = ErasableRuns(table=erased.table, rows=erased.rows)
    gone = erased.accept(tenant, 1, "ada")
    erased.runs.put_content(gone, "passages", [{"document_id": DOCUMENT, "text": "a secret"}])
    kept = [erased.accept(other_tenant, 2, "ada")]
    erased.runs.put_content(kept[0], "passages", [{"document_id": DOCUMENT}])
    if extent is not Extent.TENANT:
        kept.append(erased.accept(tenant, 3, "bob"))
        erased.runs.put_content(kept[1], "passages", [{"document_id": "doc_other"}])

    first, second = erase(store, target(tenant, extent)), erase(store, target(tenant, extent))

    assert first.removed >= 5
    assert second == ErasedPage()
    with pytest.raises(NotFoundError):
        erased.runs.get(tenant, gone.id)
    left = {pk for pk, _ in erased.row_keys()}
    for run in kept:
        assert erased.runs.get(run.tenant, run.id).status is RunStatus.DONE
        assert {f"{run.tenant.id}#{run.id}", f"{run.tenant.id}#IDEMPOTENCY#key {int(run.id[4:])}"} <= left
    assert not [pk for pk in left if gone.id in pk or pk == f"{tenant.id}#IDEMPOTENCY#key 1"]


@pytest.mark.guarantee_d
@pytest.mark.parametrize("extent", Extent)
def test_a_run_that_has_not_ended_is_left_until_it_has(erased: Erased, tenant: Tenant, extent: Extent) -> None:
    store = ErasableRuns(table=erased.table, rows=erased.rows)
    run = erased.accept(tenant, 1, "ada", ended=False)  # it may yet read the document that it had found

    assert erase(store, target(tenant, extent)).left > 0
    assert erased.runs.get(tenant, run.id).status is RunStatus.ACCEPTED

    erased.runs.put_content(run, "passages", [{"document_id": DOCUMENT}])
    erased.log.append(run, [RunEnded(status=RunStatus.DONE, text_length=0)])
    assert erase(store, target(tenant, extent)).removed > 0
    assert erase(store, target(tenant, extent)) == ErasedPage()


@pytest.mark.guarantee_d
def test_a_users_days_are_added_to_nobodys_so_that_the_tenants_sums_stay(erased: Erased, tenant: Tenant) -> None:
    for number, user in enumerate(("ada", "ada", "bob"), start=1):
        erased.accept(tenant, number, user)
    book = DynamoUsage(table=erased.table)
    before = list(book.days(tenant, first="2000-01-01", last="2999-12-31"))

    erase(ErasableRuns(table=erased.table, rows=erased.rows), target(tenant, Extent.USER))
    after = list(book.days(tenant, first="2000-01-01", last="2999-12-31"))

    def total(days: list[Any]) -> int:
        return sum(amount for day in days for amount in day.amounts.values())

    assert {day.user for day in before} == {"ada", "bob"}
    assert {day.user for day in after} == {"(erased)", "bob"}
    assert total(after) == total(before) > 0


@pytest.mark.guarantee_d
def test_turns_summaries_and_facts_go_with_their_user_tenant_and_each_document_that_stood_before_them(
    erased: Erased, tenant: Tenant, other_tenant: Tenant, clock: FakeClock
) -> None:
    conversations = DynamoConversations(table=erased.table, rows=erased.rows, clock=clock)
    store = rules.ErasableTable("conversations", rows=erased.rows, rule=rules.conversation_fate)
    run = Run(id="run_1", tenant=tenant, epoch=1, deadline=clock.now())
    rests = Turn(question="q", answer="a", at=1.0, documents=(DOCUMENT,))
    conversations.append(run, "ada", "c", rests)
    conversations.append(run, "bob", "c", replace(rests, documents=("doc_other",)))
    conversations.append(replace(run, tenant=other_tenant), "ada", "c", rests)
    erased.put(f"{tenant.id}#ada", "FACT#f", documents=[DOCUMENT])
    for user, document in (("ada", DOCUMENT), ("bob", "doc_other")):
        (turn,) = conversations.recent(tenant, user, "c", limit=1)
        told = ModelSummary(
            text="s",
            model="m",
            turns=1,
            from_at=1.0,
            until_at=1.0,
            cost_micro_usd=1,
            expires_at=turn.expires_at,
            by="run_1",
            documents=(document,),
        )
        assert conversations.keep_summary(tenant, user, "c", told, made_of=[turn])

    assert erase(store, target(tenant, Extent.DOCUMENT)).removed == 3
    assert conversations.summary(tenant, "bob", "c", labels=()) is not None
    assert erase(store, target(tenant, Extent.USER)).removed == 1  # the row that lists the conversation
    assert erase(store, target(tenant, Extent.USER, "bob")).removed == 3
    assert {pk for pk, _ in erased.row_keys()} == {f"{other_tenant.id}#ada#c", f"{other_tenant.id}#ada"}
    assert erase(store, target(other_tenant, Extent.TENANT)).removed == 2


@pytest.mark.guarantee_d
def test_why_a_documents_imports_failed_goes_with_it_and_the_counts_of_the_import_stay(
    erased: Erased, tenant: Tenant, other_tenant: Tenant, clock: FakeClock
) -> None:
    imports = DynamoImports(table=erased.table, clock=clock)
    store = rules.ErasableTable("documents", rows=erased.rows, rule=rules.document_fate)
    for owner in (tenant, other_tenant):
        record = ImportRecord(import_id="imp_1", state=ImportState.UPLOADING, files=3, unchanged=0, created_at=0.0)
        imports.prepare(owner, record)
        batch = imports.begin(owner, "imp_1")
        assert batch
        for document, name in ((DOCUMENT, "plan.pdf"), ("doc_other", "other.pdf")):
            imports.note(batch, document, ImportFailure(name=name, reason="encrypted", message="remove the password"))

    assert erase(store, target(tenant, Extent.DOCUMENT)) == ErasedPage(removed=1)

    left = imports.get(tenant, "imp_1")
    assert ([each.name for each in left.failures], left.failed) == (["other.pdf"], 2)
    assert len(imports.get(other_tenant, "imp_1").failures) == 2


@pytest.mark.guarantee_d
def test_budgets_go_once_nothing_is_held_and_keys_with_their_user(
    erased: Erased, tenant: Tenant, other_tenant: Tenant
) -> None:
    ledger = rules.ErasableTable("ledger", rows=erased.rows, rule=rules.ledger_fate)
    tenants = rules.ErasableTable("tenants", rows=erased.rows, rule=rules.tenant_fate)
    erased.put(f"{tenant.id}#BUDGET", "USER#ada", held=5)
    erased.put(f"{tenant.id}#run_1", "CALL#1", scopes=["tenant#0#", "user#0#ada"], state="settled")
    erased.put(f"{tenant.id}#run_2", "CALL#1", scopes=["user#0#bob"], state="settled")
    for owner in (tenant, other_tenant):
        erased.put(f"KEY#{owner.id}", "KEY", tenant=owner.id, user="ada")
        erased.put(f"TENANT#{owner.id}", "NAMEDKEY#ada#laptop", key_id="k")
    wanted = target(tenant, Extent.USER)

    assert erase(ledger, wanted) == ErasedPage(removed=1, left=1)
    erased.put(f"{tenant.id}#BUDGET", "USER#ada", held=0)
    assert erase(ledger, wanted) == ErasedPage(removed=1)
    assert erase(tenants, wanted) == ErasedPage(removed=2)
    assert erased.row_keys() == {
        (f"{tenant.id}#run_2", "CALL#1"),
        (f"KEY#{other_tenant.id}", "KEY"),
        (f"TENANT#{other_tenant.id}", "NAMEDKEY#ada#laptop"),
    }


@pytest.mark.guarantee_d
def test_an_erasure_is_one_job_that_hides_its_target_until_it_has_ended(
    erased: Erased, tenant: Tenant, other_tenant: Tenant
) -> None:
    erasures, tenants = DynamoErasures(table=erased.table), DynamoTenants(table=erased.table)
    for owner in (tenant, other_tenant):
        erased.put(f"TENANT#{owner.id}", "TENANT", tier={"name": "t", "models": [], "max_output_tokens": 1})

    def begin(wanted: Target) -> Erasure:
        return erasures.begin(
            Erasure(
                id=f"era_{uuid4().hex}", target=wanted, state=ErasureState.RUNNING, subject_sha256="x", clean_from=0.0
            )
        )

    user = begin(target(tenant, Extent.USER))
    assert tenants.standing(tenant).erasing_users == ("ada",)
    assert tenants.standing(other_tenant).erasing_users == ()
    moved = erasures.advance(user)
    with pytest.raises(StoreUnavailableError):
        erasures.advance(user)
    erasures.end(moved)
    assert tenants.standing(tenant).erasing_users == ()
    assert erasures.get(user.id).target.name == ""

    whole = begin(target(tenant, Extent.TENANT))
    assert begin(target(tenant, Extent.TENANT)).id == whole.id
    with pytest.raises(UnauthenticatedError):
        tenants.standing(tenant)
    with pytest.raises(NotFoundError):
        begin(target(Tenant(id="nobody"), Extent.TENANT))


@pytest.mark.guarantee_d
def test_objects_go_with_every_version_and_marker_but_not_what_was_uploaded_since(
    s3: "S3Client", bucket: str, tenant: Tenant, other_tenant: Tenant
) -> None:
    store = ErasableSources(VersionedBucket(client=s3, bucket=bucket))
    for owner in (tenant, other_tenant):
        for key in ("a.md", "a.md.old", "b.md"):
            s3.put_object(Bucket=bucket, Key=f"{owner.id}/{key}", Body=b"x")
            s3.put_object(Bucket=bucket, Key=f"{owner.id}/{key}", Body=b"y")
    s3.delete_object(Bucket=bucket, Key=f"{tenant.id}/a.md")
    wanted = replace(target(tenant, Extent.DOCUMENT), object_name="a.md")

    def versions(owner: Tenant) -> list[str]:
        found = s3.list_object_versions(Bucket=bucket, Prefix=f"{owner.id}/")
        return [each.get("Key", "") for each in (*found.get("Versions", []), *found.get("DeleteMarkers", []))]

    assert erase(store, wanted).removed == 3
    s3.put_object(Bucket=bucket, Key=f"{tenant.id}/a.md", Body=b"new")
    assert erase(store, wanted).removed == 0
    assert sorted(set(versions(tenant))) == [f"{tenant.id}/{key}" for key in ("a.md", "a.md.old", "b.md")]
    assert erase(store, target(tenant, Extent.TENANT)).removed == 5
    assert versions(tenant) == []
    assert len(versions(other_tenant)) == 6


@pytest.mark.guarantee_d
def test_what_an_import_left_goes_with_its_tenant_and_no_tenants_name_reaches_what_others_left(
    s3: "S3Client", bucket: str, tenant: Tenant, other_tenant: Tenant, clock: FakeClock
) -> None:
    staging = S3Staging(client=s3, bucket=bucket, documents_bucket=bucket)
    file = ImportedFile(name="plan.pdf", sha256="0" * 64, size_bytes=1, content_type="text/plain")
    S3FillLists(client=s3, bucket=bucket).put(
        Reindex(
            id="r",
            number=1,
            state=ReindexState.FILLING,
            source="old",
            target="new",
            reread=False,
            started_at=0.0,
            changed_at=0.0,
        ),
        [],
    )
    for owner in (tenant, other_tenant):
        staging.put_manifest(owner, "imp_1", [file])
        place = urlsplit(staging.upload(owner, file).url).path.split("/", 2)[2]
        s3.put_object(Bucket=bucket, Key=place, Body=b"x")
    store = ErasableWork(VersionedBucket(client=s3, bucket=bucket), FakeDocuments(clock))

    for name in ("staged", "imports", "reindexes", "inferences"):
        assert erase(store, target(Tenant(id=name), Extent.TENANT)) == ErasedPage()
    assert erase(store, target(tenant, Extent.TENANT)) == ErasedPage(removed=2)

    assert staging.manifest(other_tenant, "imp_1") == [file]
    assert staging.missing(other_tenant, [file]) == []
    assert staging.missing(tenant, [file]) == [file]


@pytest.mark.guarantee_d
def test_usage_files_are_written_without_the_erased_and_the_old_ones_go(
    s3: "S3Client", bucket: str, tenant: Tenant
) -> None:
    store = ErasableExports(VersionedBucket(client=s3, bucket=bucket))
    key = f"usage/{tenant.id}.csv"
    s3.put_object(Bucket=bucket, Key=f"tenants/{tenant.id}/x/runs.jsonl", Body=b"{}")
    day = "2026-11-01"
    lines = f"tenant,day,user,kind\n{tenant.id},{day},ada,user\n{tenant.id},{day},bob,user\nz,{day},ada,user\n"
    s3.put_object(Bucket=bucket, Key=key, Body=lines.encode(), ContentType="text/csv")

    assert erase(store, target(tenant, Extent.USER)).removed == 2
    assert erase(store, target(tenant, Extent.USER)) == ErasedPage()
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() == lines.replace(
        f"{tenant.id},2026-11-01,ada", f"{tenant.id},2026-11-01,(erased)"
    )
    assert len(s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", [])) == 1
    assert erase(store, target(tenant, Extent.TENANT)).removed == 1
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"tenant,day,user,kind\nz,2026-11-01,ada,user\n"


def test_a_tables_pages_are_walked_to_the_end(erased: Erased, tenant: Tenant) -> None:
    for number in range(7):
        erased.put(f"{tenant.id}#{number}", "ANSWER")
    seen, after = [], None
    while True:
        page, after = erased.rows.page(after, limit=3)
        seen += page
        if after is None:
            break

    assert len(seen) == 7
