"""A pass of a sync: what is new or changed is placed like a file of an import, what is gone goes, the rest is told."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from functions.note_outcome.handler import note_outcome
from functions.place_document.handler import place_document
from plinth.contracts.importing import Batch, ImportedFile, ImportState
from plinth.contracts.memory import Content, DocumentVersion
from plinth.contracts.runs import Failure
from plinth.contracts.syncs import LastPass, ListedObject, Permission, Sync
from plinth.contracts.tenant import Tenant
from plinth.errors import DocumentRefusedError, NotFoundError, StoreUnavailableError
from plinth.memory.naming import document_id, object_key, sequence
from plinth.memory.prefix_sync import PERMITTED_SECONDS, import_of, sync_id
from plinth.runtime import prefix_sync
from plinth.runtime.due_passes import make_asked_pass, make_due_passes
from plinth.runtime.prefix_sync import make_pass
from tests.fakes.imports import FakeStagedFiles
from tests.fakes.objects import FakeMachines
from tests.fakes.syncs import FakeSyncedObjects
from tests.unit.steps.conftest import TENANT, ChainServices

pytestmark = pytest.mark.guarantee_d
Call = Callable[..., dict[str, Any]]
BUCKET, HOUR = "team", 3600


@pytest.fixture
def source(services: ChainServices, monkeypatch: pytest.MonkeyPatch) -> FakeSyncedObjects:
    monkeypatch.setenv("PLINTH_SYNC_BUCKETS", f"{BUCKET} other")
    objects = services.synced_objects
    assert isinstance(objects, FakeSyncedObjects)
    objects.buckets[BUCKET] = {}
    return objects


def added(services: ChainServices, *, tenant: Tenant = TENANT, prefix: str = "docs/", **options: Any) -> Sync:
    sync = Sync(
        id=sync_id(tenant, BUCKET, prefix),
        tenant=tenant,
        bucket=BUCKET,
        prefix=prefix,
        every_seconds=HOUR,
        due_at=services.clock.now(),
        **options,
    )
    return services.syncs.save(sync)


def imported(services: ChainServices, sync: Sync, call: Call) -> list[str]:
    """Do what the import machine does with every file of the pass; return the reasons of what failed."""
    machines, staged = services.machines, services.staged_files
    assert isinstance(machines, FakeMachines)
    assert isinstance(staged, FakeStagedFiles)
    for batch, _, _ in machines.imports.values():
        for file in staged.manifest(sync.tenant, batch.import_id):
            error, cause = placed(call, batch, file)
            if not error:
                publish(services, sync.tenant, file.name)
            call(note_outcome, batch=batch, file=file, error=error, cause=cause)
        services.imports.close(batch, ImportState.DONE)
    machines.imports.clear()
    return [each.reason for each in services.imports.get(sync.tenant, import_of(sync.id)).failures]


def placed(call: Call, batch: Batch, file: ImportedFile) -> tuple[str, str]:
    try:
        call(place_document, batch=batch, file=file, task_token="t")
    except DocumentRefusedError as refused:
        return "DocumentRefusedError", msgspec.json.encode({"errorMessage": str(refused)}).decode()
    return "", ""


def version(services: ChainServices, tenant: Tenant, name: str) -> DocumentVersion:
    services.time.advance(1)
    return DocumentVersion(
        tenant=tenant,
        document_id=document_id(tenant, name),
        name=name,
        object_key=object_key(tenant, name),
        version_id=None,
        sequence=sequence(f"{int(services.clock.now()):X}"),
        size_bytes=1,
    )


def publish(services: ChainServices, tenant: Tenant, name: str) -> None:
    document = version(services, tenant, name)
    attempt = services.documents.begin(document, execution=document.sequence)
    services.documents.publish(replace(document, attempt=attempt or 0), Content(title="T", passages=1))


def erase(services: ChainServices, tenant: Tenant, name: str) -> None:
    services.documents.close(version(services, tenant, name))


def passed(services: ChainServices, sync: Sync, **options: Any) -> LastPass:
    last = make_pass(services.syncs.get(sync.tenant, sync.id), services, **options)
    assert last is not None
    return last


def synced(services: ChainServices, call: Call, **options: Any) -> Sync:
    """Sync what lies in the bucket, and do what its first pass asks for."""
    sync = added(services, **options)
    passed(services, sync)
    imported(services, sync, call)
    return sync


def test_objects_below_the_prefix_become_documents_and_stay_as_they_are_while_nothing_changes(
    services: ChainServices, source: FakeSyncedObjects, call: Call
) -> None:
    source.put(BUCKET, "docs/a.md", b"a")
    source.put(BUCKET, "docs/deep/b.md", b"b")
    source.put(BUCKET, "docs/", b"")
    source.put(BUCKET, "elsewhere.md", b"c")
    sync = added(services)

    first = passed(services, sync)
    assert imported(services, sync, call) == []
    second = passed(services, sync)

    assert (first.seen, first.added, first.changed) == (2, 2, 0)
    assert {name for _, name in source.documents} == {"team/docs/a.md", "team/docs/deep/b.md"}
    assert (second.seen, second.added, second.changed, second.removed) == (2, 0, 0, 0)
    assert services.imports.get(TENANT, import_of(sync.id)).unchanged == 2


def test_a_changed_object_is_placed_again_and_one_that_is_gone_takes_its_document_with_it(
    services: ChainServices, source: FakeSyncedObjects, call: Call
) -> None:
    for name in "abc":
        source.put(BUCKET, f"docs/{name}.md", b"old")
    sync = synced(services, call)

    source.put(BUCKET, "docs/a.md", b"new")
    del source.buckets[BUCKET]["docs/b.md"]
    last = passed(services, sync)
    imported(services, sync, call)

    assert (last.added, last.changed, last.removed) == (0, 1, 1)
    assert {name: body for (_, name), (body, _) in source.documents.items()} == {
        "team/docs/a.md": b"new",
        "team/docs/c.md": b"old",
    }
    assert document_id(TENANT, "team/docs/b.md") not in services.syncs.brought(sync)


def test_a_document_is_marked_by_its_tags_then_its_path_then_the_sync(
    services: ChainServices, source: FakeSyncedObjects, call: Call
) -> None:
    source.put(BUCKET, "docs/hr/2024/a.md", b"a", team="tagged", year="1999", Owner="Bo", access="all")
    sync = added(services, pattern="{department}/{year}/", metadata={"access": "staff"})

    passed(services, sync)
    assert imported(services, sync, call) == []

    ((_, metadata),) = source.documents.values()
    assert metadata == {
        "team": "tagged",
        "owner": "Bo",
        "department": "hr",
        "year": "2024",
        "access": "staff",
        "sync": sync.id,
    }


@pytest.mark.parametrize(
    "odd",
    [
        ("docs/hr/shallow.md", {}, "path_mismatch"),
        ("docs/hr/2024//a.md", {}, "bad_name"),
        (f"docs/hr/{'x' * 300}/a.md", {}, "bad_metadata"),
        ("docs/hr/2024/a.md", {"access": "no label!"}, "bad_metadata"),
        ("docs/hr/2024/a.md", {f"tag{number}": "x" for number in range(16)}, "bad_metadata"),
    ],
)
def test_what_can_not_be_read_from_path_and_tags_refuses_that_object_and_the_others_go_on(
    services: ChainServices, source: FakeSyncedObjects, call: Call, odd: tuple[str, dict[str, str], str]
) -> None:
    key, tags, reason = odd
    source.put(BUCKET, key, b"bad", **tags)
    source.put(BUCKET, "docs/it/2024/good.md", b"good")
    sync = added(services, pattern="{department}/{year}")

    last = passed(services, sync)
    failed = imported(services, sync, call)

    assert [each.reason for each in last.refused] + failed == [reason]
    assert {each.name for each in last.refused} <= {f"{BUCKET}/{key}"}
    assert {name for _, name in source.documents} == {"team/docs/it/2024/good.md"}


@pytest.mark.parametrize("trouble", ["denied", "missing", "cut", "not listed"])
def test_a_source_that_can_not_be_read_whole_changes_nothing_and_says_why(
    services: ChainServices, source: FakeSyncedObjects, call: Call, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    source.put(BUCKET, "docs/a.md", b"a")
    source.put(BUCKET, "docs/b.md", b"b")
    sync = synced(services, call)
    match trouble:
        case "denied":
            source.denied.add(BUCKET)
        case "missing":
            del source.buckets[BUCKET]
        case "cut":
            source.cut = 1
        case _:
            monkeypatch.setitem(vars(services.settings), "sync_buckets", ("other",))

    last = passed(services, sync, permission=Permission(asked_at=services.clock.now(), deletions=2))

    assert BUCKET in last.problem
    assert (last.removed, len(source.documents)) == (0, 2)


def test_an_empty_listing_and_more_than_half_of_many_wait_for_permission(
    services: ChainServices, source: FakeSyncedObjects, call: Call
) -> None:
    for number in range(30):
        source.put(BUCKET, f"docs/{number}.md", b"x")
    sync = synced(services, call)
    kept = dict(list(source.buckets[BUCKET].items())[:14])

    source.buckets[BUCKET] = {}
    emptied = passed(services, sync)
    source.buckets[BUCKET] = kept
    halved = passed(services, sync)
    assert (emptied.held_back, halved.held_back, len(source.documents)) == (30, 16, 30)

    asked_at = services.clock.now()
    services.time.advance(PERMITTED_SECONDS)
    for useless in (Permission(asked_at=asked_at, deletions=15), Permission(asked_at=asked_at - 1, deletions=16)):
        assert passed(services, sync, permission=useless).held_back == 16
    allowed = passed(services, sync, permission=Permission(asked_at=asked_at, deletions=16))
    assert (allowed.removed, allowed.held_back, len(source.documents)) == (16, 0, 14)


@pytest.mark.parametrize(("known", "held_back"), [(10, 0), (11, 10)])
def test_from_eleven_documents_on_more_than_half_of_them_wait(
    services: ChainServices, source: FakeSyncedObjects, call: Call, known: int, held_back: int
) -> None:
    for number in range(known):
        source.put(BUCKET, f"docs/{number}.md", b"x")
    sync = synced(services, call)

    source.buckets[BUCKET] = dict(list(source.buckets[BUCKET].items())[:1])

    assert passed(services, sync).held_back == held_back


def test_an_object_put_again_with_other_tags_alone_is_placed_again(
    services: ChainServices, source: FakeSyncedObjects, call: Call
) -> None:
    source.put(BUCKET, "docs/a.md", b"a", access="all")
    sync = synced(services, call)

    source.put(BUCKET, "docs/a.md", b"a", access="staff")

    assert passed(services, sync).changed == 1
    imported(services, sync, call)
    assert source.documents[TENANT, "team/docs/a.md"][1]["access"] == "staff"


def test_a_sync_that_is_added_again_while_its_removal_is_carried_out_stays(
    services: ChainServices, source: FakeSyncedObjects, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.put(BUCKET, "docs/a.md", b"a")
    sync = synced(services, call)
    services.syncs.remove(sync, "keep")
    release = services.syncs.release

    def met(of: Sync, document: str) -> None:
        release(of, document)
        added(services)

    with monkeypatch.context() as patch:
        patch.setattr(services.syncs, "release", met)
        passed(services, sync)

    assert services.syncs.get(TENANT, sync.id).removal is None


def test_a_document_that_somebody_else_uploaded_is_neither_replaced_nor_deleted(
    services: ChainServices, source: FakeSyncedObjects, call: Call
) -> None:
    for name in ("theirs", "ours", "kept"):
        source.put(BUCKET, f"docs/{name}.md", b"source")
    source.documents[TENANT, "team/docs/theirs.md"] = b"uploaded", {}
    sync = added(services)
    passed(services, sync)
    assert imported(services, sync, call) == ["taken"]
    source.documents[TENANT, "team/docs/ours.md"] = b"uploaded later", {}

    for name in ("theirs", "ours"):
        del source.buckets[BUCKET][f"docs/{name}.md"]
    last = passed(services, sync)

    assert last.removed == 0
    assert source.documents[TENANT, "team/docs/theirs.md"][0] == b"uploaded"
    assert source.documents[TENANT, "team/docs/ours.md"][0] == b"uploaded later"
    assert set(services.syncs.brought(sync)) == {document_id(TENANT, "team/docs/kept.md")}


def test_a_document_that_a_removed_sync_left_is_taken_over_by_the_next_one(
    services: ChainServices, source: FakeSyncedObjects, call: Call
) -> None:
    source.put(BUCKET, "docs/a.md", b"a")
    kept = added(services)
    passed(services, kept)
    imported(services, kept, call)
    services.syncs.remove(kept, "keep")
    passed(services, kept)

    wider = added(services, prefix="")
    passed(services, wider)

    assert imported(services, wider, call) == []
    assert source.owner(TENANT, "team/docs/a.md") == wider.id


def test_an_object_that_is_too_large_is_refused_by_its_listing_with_every_pass(
    services: ChainServices, source: FakeSyncedObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.put(BUCKET, "docs/a.md", b"a")
    monkeypatch.setattr(prefix_sync, "MAX_DOCUMENT_BYTES", 0)
    sync = added(services)

    last = passed(services, sync)

    assert (last.added, [each.reason for each in last.refused]) == (0, ["too_large"])
    assert passed(services, sync).refused == last.refused


def test_a_document_whose_event_has_not_come_yet_is_removed_by_a_later_pass(
    services: ChainServices, source: FakeSyncedObjects, call: Call
) -> None:
    source.put(BUCKET, "docs/a.md", b"a")
    source.put(BUCKET, "docs/b.md", b"b")
    sync = added(services)
    passed(services, sync)
    ((batch, _, _),) = services.machines.imports.values()  # type: ignore[attr-defined]
    for file in services.staged_files.manifest(TENANT, batch.import_id):
        placed(call, batch, file)
    services.imports.close(batch, ImportState.DONE)
    del source.buckets[BUCKET]["docs/a.md"]

    early = passed(services, sync)
    publish(services, TENANT, "team/docs/a.md")
    late = passed(services, sync)

    assert (early.removed, late.removed) == (0, 1)
    assert {name for _, name in source.documents} == {"team/docs/b.md"}


def test_a_document_that_was_erased_does_not_come_back_until_its_object_changes(
    services: ChainServices, source: FakeSyncedObjects, call: Call
) -> None:
    source.put(BUCKET, "docs/a.md", b"a")
    sync = synced(services, call)
    del source.documents[TENANT, "team/docs/a.md"]
    erase(services, TENANT, "team/docs/a.md")

    assert passed(services, sync).added == 0
    source.put(BUCKET, "docs/a.md", b"changed")
    assert passed(services, sync).changed == 1


def test_other_settings_of_the_same_sync_place_every_object_anew(
    services: ChainServices, source: FakeSyncedObjects, call: Call
) -> None:
    source.put(BUCKET, "docs/a.md", b"a")
    sync = synced(services, call)

    assert added(services, metadata={"access": "staff"}).id == sync.id
    assert passed(services, sync).changed == 1
    imported(services, sync, call)
    assert source.documents[TENANT, "team/docs/a.md"][1]["access"] == "staff"


def test_a_document_that_could_not_be_read_is_told_with_every_pass_and_not_placed_again(
    services: ChainServices, source: FakeSyncedObjects, call: Call
) -> None:
    source.put(BUCKET, "docs/a.pdf", b"no pdf")
    sync = synced(services, call)
    document = version(services, TENANT, "team/docs/a.pdf")
    services.documents.refuse(document, Failure(reason="not_a_pdf", message="it is none"), execution="one")

    last = passed(services, sync)

    assert (last.changed, last.unreadable) == (0, (document.document_id,))


def test_two_passes_at_once_are_one(services: ChainServices, source: FakeSyncedObjects, call: Call) -> None:
    source.put(BUCKET, "docs/a.md", b"a")
    sync = added(services)
    passed(services, sync)

    assert make_pass(sync, services) is None

    imported(services, sync, call)
    assert make_pass(sync, services) is not None


def test_a_pass_that_another_overtook_while_it_listed_does_nothing(
    services: ChainServices, source: FakeSyncedObjects, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.put(BUCKET, "docs/a.md", b"a")
    source.put(BUCKET, "docs/b.md", b"b")
    sync = synced(services, call)
    del source.buckets[BUCKET]["docs/a.md"]
    listed = source.listed

    def overtaken(bucket: str, prefix: str) -> list[ListedObject]:
        found = list(listed(bucket, prefix))
        monkeypatch.setattr(source, "listed", listed)
        source.put(BUCKET, "docs/a.md", b"again")
        passed(services, sync)
        imported(services, sync, call)
        return found

    monkeypatch.setattr(source, "listed", overtaken)

    assert make_pass(sync, services) is None
    assert source.documents[TENANT, "team/docs/a.md"][0] == b"again"
    assert passed(services, sync).changed == 0


def test_a_pass_is_made_as_the_sync_stands_when_it_begins(
    services: ChainServices, source: FakeSyncedObjects, call: Call
) -> None:
    source.put(BUCKET, "docs/a.md", b"a")
    read = added(services)
    added(services, metadata={"access": "staff"})

    assert make_pass(read, services)
    imported(services, read, call)
    services.syncs.drop(read)

    assert source.documents[TENANT, "team/docs/a.md"][1]["access"] == "staff"
    assert make_pass(read, services) is None


def test_a_file_of_a_sync_that_has_other_settings_meanwhile_is_placed_by_the_next_pass(
    services: ChainServices, source: FakeSyncedObjects, call: Call
) -> None:
    source.put(BUCKET, "docs/a.md", b"a")
    sync = added(services)
    passed(services, sync)
    added(services, metadata={"access": "staff"})

    assert imported(services, sync, call) == ["sync_changed"]
    passed(services, sync)
    assert imported(services, sync, call) == []
    assert source.documents[TENANT, "team/docs/a.md"][1]["access"] == "staff"


def test_a_pass_whose_machine_could_not_be_started_is_over_and_can_be_made_again(
    services: ChainServices, source: FakeSyncedObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.put(BUCKET, "docs/a.md", b"a")
    sync = added(services)

    def fails(*_: object, **__: object) -> None:
        raise StoreUnavailableError("Step Functions did not answer")

    with monkeypatch.context() as patch:
        patch.setattr(services.machines, "start_import", fails)
        with pytest.raises(StoreUnavailableError):
            make_pass(sync, services)

    assert passed(services, sync).added == 1


def test_a_removed_sync_lets_its_documents_be_or_takes_them_along_and_is_gone(
    services: ChainServices, source: FakeSyncedObjects, call: Call
) -> None:
    source.put(BUCKET, "docs/a.md", b"a")
    source.put(BUCKET, "kept/b.md", b"b")
    erased, kept = added(services), added(services, prefix="kept/")
    for sync in (erased, kept):
        passed(services, sync)
        imported(services, sync, call)
    services.syncs.remove(erased, "erase")
    services.syncs.remove(kept, "keep")

    for sync in (erased, kept):
        passed(services, sync)
        assert services.syncs.brought(sync) == {}
        with pytest.raises(NotFoundError):
            services.syncs.get(TENANT, sync.id)
    assert {name for _, name in source.documents} == {"team/kept/b.md"}


@pytest.mark.parametrize("removed", ["dropped", "being removed"])
def test_a_file_of_a_sync_that_was_removed_meanwhile_is_not_placed(
    services: ChainServices, source: FakeSyncedObjects, call: Call, removed: str
) -> None:
    source.put(BUCKET, "docs/a.md", b"a")
    sync = added(services)
    passed(services, sync)
    if removed == "dropped":
        services.syncs.drop(sync)
    else:
        services.syncs.remove(sync, "keep")

    assert imported(services, sync, call) == ["sync_removed"]
    assert source.documents == {}


@pytest.mark.guarantee_e
def test_what_a_sync_brings_is_its_tenants_alone(
    services: ChainServices, source: FakeSyncedObjects, call: Call
) -> None:
    other = Tenant(id="rival")
    source.put(BUCKET, "docs/a.md", b"a")
    source.put(BUCKET, "docs/b.md", b"b")
    mine, theirs = added(services), added(services, tenant=other)
    for sync in (mine, theirs):
        passed(services, sync)
        imported(services, sync, call)
    services.syncs.remove(theirs, "erase")
    passed(services, theirs)

    assert mine.id != theirs.id
    assert sorted(source.documents) == sorted([(TENANT, "team/docs/a.md"), (TENANT, "team/docs/b.md")])
    assert len(services.syncs.brought(mine)) == 2


class Tenants:
    """`TenantList` of one."""

    def all(self) -> list[Tenant]:
        return [TENANT]


def test_the_schedule_makes_the_passes_that_are_due_and_one_that_fails_stops_no_other(
    services: ChainServices, source: FakeSyncedObjects, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.tenant_list = Tenants()
    source.put(BUCKET, "docs/a.md", b"a")
    source.put(BUCKET, "more/b.md", b"b")
    first, second = added(services), added(services, prefix="more/")
    brought = services.syncs.brought

    def fails_once(sync: Sync) -> dict[str, str]:
        if sync.id == first.id:
            raise StoreUnavailableError("DynamoDB did not answer")
        return brought(sync)

    with monkeypatch.context() as patch:
        patch.setattr(services.syncs, "brought", fails_once)
        assert make_due_passes(services, time_left=lambda: 900_000) == {"placed": 1, "removed": 0}
    imported(services, second, call)
    assert make_due_passes(services, time_left=lambda: 900_000) == {"placed": 1, "removed": 0}
    imported(services, first, call)
    assert make_due_passes(services, time_left=lambda: 900_000) == {"placed": 0, "removed": 0}
    services.time.advance(HOUR)
    source.put(BUCKET, "docs/new.md", b"new")
    assert make_due_passes(services, time_left=lambda: 1_000) == {"placed": 0, "removed": 0}
    asked = {"sync": first.id, "permission": {"asked_at": services.clock.now(), "deletions": 2}}
    assert make_asked_pass(asked, services) == {"placed": 1, "removed": 0}
    imported(services, first, call)
    source.buckets[BUCKET] = {}
    assert make_asked_pass({**asked, "permission": None}, services) == {"placed": 0, "removed": 0}
    assert make_asked_pass(asked, services) == {"placed": 0, "removed": 2}


def test_a_call_for_a_sync_that_is_gone_by_then_does_nothing(services: ChainServices) -> None:
    assert make_asked_pass({"sync": "acme-0123456789ab"}, services) == {}
    assert make_asked_pass({"sync": "nonsense"}, services) == {}
