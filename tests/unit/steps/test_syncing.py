"""Changes of the bucket whose event was lost are found and made good; what is on its way is left alone."""

from dataclasses import replace

import pytest

from plinth.contracts.memory import Content, DocumentRecord, DocumentState, DocumentVersion
from plinth.memory.document_row import STUCK_SECONDS
from plinth.memory.naming import deletion_after, document_id, sequence, sequence_after, sequence_before
from plinth.runtime.syncing import sync_tenant
from tests.unit.steps.conftest import TENANT, ChainServices

pytestmark = pytest.mark.guarantee_d
SETTLE_SECONDS = 900.0


def put(services: ChainServices, name: str = "a.txt") -> str:
    services.sources.modified_at = services.clock.now()  # type: ignore[attr-defined]
    return services.sources.put(TENANT, name, b"words", "text/plain")  # type: ignore[attr-defined]


def version(version_id: str | None, number: str, name: str = "a.txt") -> DocumentVersion:
    return DocumentVersion(
        tenant=TENANT,
        document_id=document_id(TENANT, name),
        name=name,
        object_key=f"acme/{name}",
        version_id=version_id,
        sequence=sequence(number),
        size_bytes=5,
    )


def make_live(services: ChainServices, document: DocumentVersion) -> None:
    attempt = services.documents.begin(document, execution="one")
    services.documents.publish(replace(document, attempt=attempt or 0), Content(title="T", passages=1))


def later(services: ChainServices, seconds: float = SETTLE_SECONDS + 1) -> None:
    services.time.advance(seconds)


def started(services: ChainServices) -> tuple[list[DocumentVersion], list[DocumentVersion]]:
    sync_tenant(TENANT, services)
    machines = services.machines
    return list(machines.ingests.values()), list(machines.erasures.values())  # type: ignore[attr-defined]


def test_an_object_that_no_event_told_of_is_ingested_as_the_version_that_it_is(services: ChainServices) -> None:
    version_id = put(services)
    later(services)

    (ingest,), erasures = started(services)

    assert erasures == []
    assert (ingest.version_id, ingest.name, ingest.object_key) == (version_id, "a.txt", "acme/a.txt")
    make_live(services, ingest)
    assert services.documents.get(TENANT, ingest.document_id).state is DocumentState.READY


def test_a_lost_new_version_goes_behind_the_one_that_is_known_and_before_any_later_event(
    services: ChainServices,
) -> None:
    make_live(services, version(put(services), "1"))
    newest = put(services)
    later(services)

    (ingest,), _ = started(services)

    assert ingest.version_id == newest
    assert sequence("1") < ingest.sequence < sequence("2")
    make_live(services, ingest)
    later(services)
    services.machines.ingests.clear()  # type: ignore[attr-defined]
    assert started(services) == ([], [])


def test_a_lost_deletion_is_made_good_and_a_later_upload_comes_through(services: ChainServices) -> None:
    known = version(put(services), "1")
    make_live(services, known)
    services.sources.delete(TENANT, "a.txt")
    later(services)

    _, (erase,) = started(services)
    services.documents.close(erase)

    assert services.documents.live_generations(TENANT, [known.document_id]) == {}
    services.machines.erasures.clear()  # type: ignore[attr-defined]
    assert started(services) == ([], [])
    assert services.documents.begin(version("v9", "2"), execution="two") is not None


def test_a_version_that_came_back_after_a_deletion_is_ingested(services: ChainServices) -> None:
    services.documents.close(version(None, "5"))
    put(services)
    later(services)

    (ingest,), _ = started(services)

    assert services.documents.begin(ingest, execution="one") is not None


def hide_and_delete(services: ChainServices, known: DocumentVersion) -> None:
    """Delete it by the API, whose event is lost."""
    services.documents.hide(TENANT, known.document_id)
    services.sources.delete(TENANT, known.name)


def test_an_upload_after_a_deletion_whose_event_was_lost_is_shown(services: ChainServices) -> None:
    known = version(put(services), "1")
    make_live(services, known)
    hide_and_delete(services, known)
    make_live(services, version(put(services), "3"))
    later(services)

    ingests, (erase,) = started(services)
    services.documents.close(erase)

    assert ingests == []
    assert sequence("1") < erase.sequence < sequence("3")
    assert services.documents.live_generations(TENANT, [known.document_id]) == {
        known.document_id: f"{sequence('3')}.0001"
    }


def test_an_upload_after_a_deletion_is_ingested_though_the_events_of_both_were_lost(services: ChainServices) -> None:
    known = version(put(services), "1")
    make_live(services, known)
    hide_and_delete(services, known)
    newest = put(services)
    put(services)
    later(services)

    _, (erase,) = started(services)
    services.documents.close(erase)
    later(services)
    (ingest,), _ = started(services)

    assert ingest.version_id != newest
    make_live(services, ingest)
    assert services.documents.get(TENANT, ingest.document_id).state is DocumentState.READY


def test_a_document_that_was_hidden_and_whose_object_is_there_still_stays_hidden(services: ChainServices) -> None:
    known = version(put(services), "1")
    make_live(services, known)
    services.documents.hide(TENANT, known.document_id)
    later(services, STUCK_SECONDS + 1)

    assert started(services) == ([], [])
    assert services.documents.live_generations(TENANT, [known.document_id]) == {}


def test_what_may_still_be_on_its_way_is_left_alone(services: ChainServices) -> None:
    put(services)
    make_live(services, version("v1", "1", name="b.txt"))
    later(services, SETTLE_SECONDS - 1)

    assert started(services) == ([], [])


def test_what_waits_for_its_upload_is_not_erased(services: ChainServices) -> None:
    record = DocumentRecord(
        document_id=document_id(TENANT, "a.txt"),
        name="a.txt",
        state=DocumentState.AWAITING_UPLOAD,
        updated_at=services.clock.now(),
    )
    services.documents.announce(TENANT, record)
    later(services)

    assert started(services) == ([], [])


def test_a_try_that_ended_without_a_word_is_made_again(services: ChainServices) -> None:
    document = version(put(services), "1")
    services.documents.begin(document, execution="one")
    later(services, STUCK_SECONDS + 1)

    (again,), _ = started(services)

    assert (again.sequence, again.attempt) == (document.sequence, 1)


def test_an_upload_that_is_started_late_does_not_come_back_after_the_deletion_that_was_found_since(
    services: ChainServices,
) -> None:
    put(services)
    later(services)
    (late,), _ = started(services)
    known = version("v0", "0")
    make_live(services, known)
    services.sources.delete(TENANT, "a.txt")
    later(services)
    _, (erase,) = started(services)

    services.documents.close(erase)

    assert services.documents.begin(late, execution="late") is None


def test_the_same_repair_is_named_the_same_until_it_has_happened(services: ChainServices) -> None:
    put(services)
    later(services)

    assert started(services) == started(services)
    assert len(started(services)[0]) == 1


@pytest.mark.parametrize("known", ["", sequence("1"), sequence("F" * 18)])
def test_sequences_after_a_known_one_rise_and_stay_before_the_next_event(known: str) -> None:
    first, second = sequence_after(known), sequence_after(sequence_after(known))
    behind = replace(version(None, "1"), sequence=known.rjust(32, "0"), attempt=9999).generation

    assert known < behind < replace(version(None, "1"), sequence=first).generation < second
    assert replace(version(None, "1"), sequence=first, attempt=9999).generation < deletion_after(known) < second
    assert sequence_after(deletion_after(known)) == second
    assert sequence_before(deletion_after(known)) == first
    assert second < f"{int(known or '0', 16) + 1:032X}"
    assert (sequence_before(second), sequence_before(first)) == (first, known.rjust(32, "0"))
