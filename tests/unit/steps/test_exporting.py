"""Exporting, step by step over fakes: page after page, again where it stopped, and nothing once it was erased."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from functions.collect_data.handler import collect_data
from functions.fail_export.handler import fail_export
from plinth.contracts.exporting import EXPORT_DAYS, Export, ExportedPage, ExportJob, ExportState, Subject
from plinth.errors import ErasureUnderWayError, NotFoundError, StoreUnavailableError
from plinth.memory.exports import RUN_SECONDS
from plinth.memory.stores import STORES
from plinth.runtime.exports import SECONDS, begin_export
from tests.fakes.clock import FakeClock
from tests.fakes.exporting import FakeExportFiles, FakeExportJobs
from tests.fakes.tenants import FakeTenants
from tests.registered_stores import exported_stores
from tests.unit.access.world import TIER
from tests.unit.steps.conftest import TENANT, ChainServices

Call = Callable[..., dict[str, Any]]
EVERYTHING = Subject(tenant=TENANT)


class ScriptedStore:
    """`ExportableStore` that gives the pages of a script, each by the place where the last one ended."""

    def __init__(self, name: str, *pages: ExportedPage, clock: FakeClock | None = None) -> None:
        self.name = name
        self._pages = pages
        self._clock = clock
        self.asked: list[str | None] = []

    def export(self, subject: Subject, after: str | None) -> ExportedPage:
        assert subject.tenant == TENANT
        self.asked.append(after)
        if self._clock:
            self._clock.advance(SECONDS / 2 + 1)
        return self._pages[int(after or 0)]


@pytest.fixture
def exporting(services: ChainServices) -> ChainServices:
    services.tenants = tenants = FakeTenants()
    tenants.tiers[TENANT] = TIER
    services.exporting.jobs = FakeExportJobs(services.clock)
    services.exporting.files = FakeExportFiles()
    services.exporting.stores = (
        ScriptedStore("runs", ExportedPage(records={"runs": [{"id": 1}, {"id": 2}]}, after="1"), ExportedPage()),
        ScriptedStore("sources", ExportedPage(originals={"documents/a.md": b"# A\n"})),
    )
    return services


def files_of(services: ChainServices, export: Export) -> dict[str, bytes]:
    files = services.exporting.files
    assert isinstance(files, FakeExportFiles)
    return {path: body for (of, path), body in files.files.items() if of == export.id}


def job(export: Export) -> ExportJob:
    return ExportJob(id=export.id, tenant=TENANT)


def test_every_store_goes_into_files_that_the_manifest_counts_and_hashes(exporting: ChainServices, call: Call) -> None:
    export = begin_export(EVERYTHING, exporting)

    assert call(collect_data, job=job(export)) == {"done": True}

    written = files_of(exporting, export)
    manifest = json.loads(written["manifest.json"])
    assert {each["path"]: each["sha256"] for each in manifest["files"]} == {
        path: hashlib.sha256(body).hexdigest() for path, body in written.items() if path != "manifest.json"
    }
    assert manifest["records"] == {"runs": 2}
    assert b"".join(body for path, body in written.items() if path.startswith("runs/")) == b'{"id":1}\n{"id":2}\n'
    assert written["documents/a.md"] == b"# A\n"
    assert set(manifest["not_exported"]) == {store.name for store in STORES} - exported_stores()
    ended = exporting.exporting.jobs.get(TENANT, export.id)
    assert (ended.state, ended.files) == (ExportState.DONE, len(written))


def test_a_call_ends_after_some_seconds_and_the_next_goes_on_behind_it(exporting: ChainServices, call: Call) -> None:
    pages = [ExportedPage(records={"runs": [n]}, after=str(n + 1)) for n in range(5)]
    store = ScriptedStore("runs", *pages, ExportedPage(), clock=exporting.time)
    exporting.exporting.stores = (store,)
    export = begin_export(EVERYTHING, exporting)

    calls = 0
    while not call(collect_data, job=job(export))["done"]:
        calls += 1

    assert calls == 2
    assert store.asked == [None, "1", "2", "3", "4", "5"]
    assert exporting.exporting.jobs.get(TENANT, export.id).records == {"runs": 5}


def test_a_page_whose_note_was_lost_is_written_once(
    exporting: ChainServices, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = begin_export(EVERYTHING, exporting)

    def lost(_: Export) -> Export:
        raise StoreUnavailableError("the write did not arrive")

    with monkeypatch.context() as broken:
        broken.setattr(exporting.exporting.jobs, "advance", lost)
        with pytest.raises(StoreUnavailableError):
            call(collect_data, job=job(export))
    call(collect_data, job=job(export))

    assert sorted(files_of(exporting, export)) == ["documents/a.md", "manifest.json", "runs/000000.jsonl"]


@pytest.mark.guarantee_d
def test_an_export_that_is_erased_while_it_writes_leaves_no_file(exporting: ChainServices, call: Call) -> None:
    jobs = exporting.exporting.jobs
    assert isinstance(jobs, FakeExportJobs)
    export = begin_export(EVERYTHING, exporting)

    class Erasing(ScriptedStore):
        def export(self, subject: Subject, after: str | None) -> ExportedPage:
            jobs.rows.clear()
            return super().export(subject, after)

    exporting.exporting.stores = (Erasing("runs", ExportedPage(records={"runs": ["a secret"]})),)

    assert call(collect_data, job=job(export)) == {"done": True}
    assert files_of(exporting, export) == {}
    assert call(collect_data, job=job(export)) == {"done": True}
    assert call(fail_export, job=job(export)) == {"failed": False}


def test_what_is_asked_for_twice_is_one_export_until_it_has_ended_or_was_lost(exporting: ChainServices) -> None:
    first = begin_export(EVERYTHING, exporting)
    of_ada = begin_export(Subject(tenant=TENANT, user="ada"), exporting)

    assert begin_export(EVERYTHING, exporting).id == first.id
    assert of_ada.id != first.id
    exporting.time.advance(RUN_SECONDS + 1)
    assert begin_export(EVERYTHING, exporting).id != first.id


def test_a_failed_export_says_so_and_another_one_can_be_asked_for(exporting: ChainServices, call: Call) -> None:
    export = begin_export(EVERYTHING, exporting)

    assert call(fail_export, job=job(export)) == {"failed": True}
    assert exporting.exporting.jobs.get(TENANT, export.id).state is ExportState.FAILED
    assert begin_export(EVERYTHING, exporting).id != export.id


@pytest.mark.guarantee_d
def test_nothing_is_exported_while_a_user_is_being_erased(exporting: ChainServices) -> None:
    tenants = exporting.tenants
    assert isinstance(tenants, FakeTenants)
    tenants.erasing_users[TENANT] = ["ada"]

    with pytest.raises(ErasureUnderWayError, match="ask again"):
        begin_export(EVERYTHING, exporting)


def test_an_export_is_gone_after_its_days(exporting: ChainServices) -> None:
    export = begin_export(EVERYTHING, exporting)
    exporting.time.advance(EXPORT_DAYS * 86_400)

    with pytest.raises(NotFoundError):
        exporting.exporting.jobs.get(TENANT, export.id)
