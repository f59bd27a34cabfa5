"""The contract of `Documents`, held by the fake and by DynamoDB."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import permutations
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from plinth.adapters.dynamo_documents import DynamoDocuments
from plinth.adapters.dynamodb_table import Table
from plinth.contracts.memory import (
    NO_LABELS,
    Content,
    DocumentRecord,
    DocumentState,
    DocumentVersion,
    KnownDocument,
    Labels,
    SourceFacts,
)
from plinth.contracts.runs import Failure
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError
from plinth.memory.document_row import STUCK_SECONDS
from plinth.ports.documents import Documents
from tests.contract.adapters.conftest import at_once
from tests.fakes.clock import FakeClock
from tests.fakes.documents import FakeDocuments

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Version = Callable[..., DocumentVersion]
A = "doc_a"


@pytest.fixture(params=["fake", "dynamodb"])
def documents(request: pytest.FixtureRequest, clock: FakeClock) -> Documents:
    if request.param == "fake":
        return FakeDocuments(clock)
    return DynamoDocuments(table=request.getfixturevalue("table"), clock=clock)


@pytest.fixture
def live(documents: Documents, tenant: Tenant) -> Callable[[], str | None]:
    """Say which generation of the document searches may show."""
    return lambda: documents.live_generations(tenant, [A, "doc_unknown"]).get(A)


def begun(documents: Documents, document: DocumentVersion, execution: str = "one") -> DocumentVersion:
    """Begin a try of the version that nothing stands against."""
    attempt = documents.begin(document, execution=execution)
    assert attempt
    return replace(document, attempt=attempt)


def publish(documents: Documents, document: DocumentVersion) -> int | None:
    attempt = documents.begin(document, execution="one")
    return documents.publish(replace(document, attempt=attempt or 1), Content(title="Title", passages=3, tokens=500))


def refuse(
    documents: Documents, document: DocumentVersion, reason: str, execution: str = "one"
) -> DocumentRecord | None:
    return documents.refuse(document, Failure(reason=reason, message="Do this."), execution=execution)


def generation(document: DocumentVersion, attempt: int = 1) -> str:
    return replace(document, attempt=attempt).generation


def awaited(name: str = "a.txt") -> DocumentRecord:
    return DocumentRecord(document_id=A, name=name, state=DocumentState.AWAITING_UPLOAD, updated_at=1.0, size_bytes=9)


def test_an_announced_document_is_shown_until_something_else_is_known(
    documents: Documents, tenant: Tenant, version: Version
) -> None:
    documents.announce(tenant, awaited())
    assert documents.get(tenant, A) == awaited()

    begun(documents, version(1))
    documents.announce(tenant, awaited("other"))

    shown = documents.get(tenant, A)
    assert (shown.name, shown.state, shown.size_bytes) == ("a.txt", DocumentState.INGESTING, 1)


def test_a_published_version_is_live_and_raises_the_corpus_version(
    documents: Documents, tenant: Tenant, version: Version, live: Callable[[], str | None], clock: FakeClock
) -> None:
    begun(documents, version(1))
    assert (live(), documents.corpus_version(tenant)) == (None, 0)

    assert publish(documents, version(1)) == 1

    assert documents.get(tenant, A) == DocumentRecord(
        document_id=A,
        name="a.txt",
        state=DocumentState.READY,
        updated_at=clock.now(),
        size_bytes=1,
        title="Title",
        passages=3,
        tokens=500,
        generation=generation(version(1)),
        attempted_at=(clock.now(),),
    )
    assert (live(), documents.corpus_version(tenant)) == (generation(version(1)), 1)


def test_a_live_version_tells_the_hash_and_the_labels_of_its_object_and_a_later_one_not_the_earlier(
    documents: Documents, tenant: Tenant, version: Version
) -> None:
    facts = SourceFacts(content_sha256="ab", labels=Labels(metadata=("team=docs",), access=("team:a",)))
    attempt = documents.begin(version(1), execution="one")
    documents.publish(replace(version(1), attempt=attempt or 1), Content(title="T", passages=1, source=facts))

    live = documents.get(tenant, "doc_a")
    assert (live.content_sha256, live.labels) == ("ab", facts.labels)
    documents.close(version(2))
    documents.begin(version(3), execution="one")
    again = documents.get(tenant, "doc_a")
    assert (again.content_sha256, again.labels) == (None, NO_LABELS)


def test_publishing_the_live_version_again_changes_nothing(
    documents: Documents, tenant: Tenant, version: Version
) -> None:
    publish(documents, version(1))

    assert documents.publish(replace(version(1), attempt=1), Content(title="Other", passages=9)) == 1
    assert documents.get(tenant, A).title == "Title"


def test_the_live_version_stays_while_a_newer_one_is_ingested(
    documents: Documents, version: Version, live: Callable[[], str | None]
) -> None:
    publish(documents, version(1))

    newer = begun(documents, version(2))
    assert live() == generation(version(1))

    assert documents.publish(newer, Content(title="Title", passages=1)) == 2
    assert live() == generation(version(2))


@pytest.mark.guarantee_d
def test_an_older_version_can_neither_begin_nor_be_published(
    documents: Documents, version: Version, live: Callable[[], str | None]
) -> None:
    older = begun(documents, version(1))
    begun(documents, version(2))

    assert documents.publish(older, Content(title="Old", passages=1)) is None
    assert publish(documents, version(2)) == 1
    assert not documents.begin(version(1), execution="two")
    assert documents.publish(older, Content(title="Old", passages=1)) is None
    assert live() == generation(version(2))


@pytest.mark.guarantee_d
def test_an_execution_keeps_its_try_and_another_gets_the_next(
    documents: Documents, tenant: Tenant, version: Version, clock: FakeClock
) -> None:
    assert documents.begin(version(1), execution="one") == 1
    clock.advance(5)
    assert documents.begin(version(1), execution="one") == 1
    assert documents.begin(version(1), execution="two") == 2

    assert documents.get(tenant, A).attempted_at == (clock.now() - 5, clock.now())
    assert documents.begin(version(2), execution="three") == 1
    assert documents.get(tenant, A).attempted_at == (clock.now(),)


@pytest.mark.guarantee_d
def test_only_the_newest_try_can_be_published_or_refused(
    documents: Documents, tenant: Tenant, version: Version, live: Callable[[], str | None]
) -> None:
    first = begun(documents, version(1))
    second = begun(documents, version(1), "two")

    assert (documents.awaits(first), documents.awaits(second)) == (False, True)
    assert documents.publish(first, Content(title="Title", passages=1)) is None
    assert refuse(documents, first, "late") is None
    assert documents.publish(second, Content(title="Title", passages=1)) == 1
    assert (live(), documents.is_live(second), documents.is_live(first)) == (second.generation, True, False)
    assert not documents.begin(version(1), execution="three")


@pytest.mark.guarantee_d
def test_a_claimed_version_whose_row_was_erased_is_not_written_down_again(
    documents: Documents, tenant: Tenant, version: Version
) -> None:
    assert refuse(documents, replace(version(1), attempt=1), "timed_out") is None

    assert list(documents.known(tenant)) == []


@pytest.mark.guarantee_d
def test_a_try_that_was_refused_cannot_be_published_any_more(
    documents: Documents, version: Version, live: Callable[[], str | None]
) -> None:
    document = begun(documents, version(1))
    refuse(documents, document, "timed_out")

    assert documents.publish(document, Content(title="Title", passages=1)) is None
    assert live() is None


def test_what_was_refused_or_ended_without_a_word_can_be_tried_again(
    documents: Documents, tenant: Tenant, version: Version, clock: FakeClock
) -> None:
    first = begun(documents, version(1))
    assert documents.redrivable(tenant, A) is None
    clock.advance(STUCK_SECONDS + 1)
    assert documents.redrivable(tenant, A) == first

    refuse(documents, first, "encrypted")
    assert documents.redrivable(tenant, A) == first
    second = begun(documents, version(1), "two")
    assert documents.redrivable(tenant, A) is None

    documents.publish(second, Content(title="Title", passages=1))
    assert documents.redrivable(tenant, A) is None
    with pytest.raises(NotFoundError):
        documents.redrivable(tenant, "doc_unknown")


def test_what_is_being_deleted_is_not_tried_again(documents: Documents, tenant: Tenant, version: Version) -> None:
    refuse(documents, begun(documents, version(1)), "encrypted")
    documents.hide(tenant, A)

    assert documents.redrivable(tenant, A) is None


def test_a_refused_version_leaves_the_earlier_one_live(
    documents: Documents, tenant: Tenant, version: Version, live: Callable[[], str | None]
) -> None:
    publish(documents, version(1))

    told = refuse(documents, begun(documents, version(2)), "encrypted")

    shown = documents.get(tenant, A)
    assert told == shown
    assert (shown.state, shown.reason, shown.message) == (DocumentState.REFUSED, "encrypted", "Do this.")
    assert live() == generation(version(1))
    publish(documents, version(3))
    assert documents.get(tenant, A).reason is None


def test_a_refusal_changes_nothing_once_the_version_is_live_or_a_newer_one_is_known(
    documents: Documents, tenant: Tenant, version: Version
) -> None:
    publish(documents, version(2))

    refuse(documents, replace(version(2), attempt=1), "late")
    refuse(documents, version(1), "older")

    assert documents.get(tenant, A).state == DocumentState.READY


def test_a_version_that_never_began_can_be_refused(documents: Documents, tenant: Tenant, version: Version) -> None:
    refuse(documents, version(1), "too_large")

    assert (documents.get(tenant, A).name, documents.get(tenant, A).reason) == ("a.txt", "too_large")


@pytest.mark.guarantee_d
def test_a_hidden_document_is_unsearchable_at_once_and_through_a_late_publication(
    documents: Documents, tenant: Tenant, version: Version, live: Callable[[], str | None]
) -> None:
    publish(documents, version(1))
    newer = begun(documents, version(2))

    assert documents.hide(tenant, A).state == DocumentState.DELETING
    assert (live(), documents.corpus_version(tenant)) == (None, 2)

    documents.publish(newer, Content(title="Title", passages=1))
    assert live() is None
    assert documents.is_live(newer)
    assert documents.get(tenant, A).state == DocumentState.DELETING


def test_an_unknown_a_deleted_and_a_foreign_document_are_not_found(
    documents: Documents, tenant: Tenant, other_tenant: Tenant, version: Version
) -> None:
    publish(documents, version(1))
    for find in (documents.get, documents.hide):
        with pytest.raises(NotFoundError):
            find(other_tenant, A)
        with pytest.raises(NotFoundError):
            find(tenant, "doc_unknown")
    documents.close(version(2))
    for find in (documents.get, documents.hide):
        with pytest.raises(NotFoundError):
            find(tenant, A)


@pytest.mark.guarantee_d
def test_a_deleted_document_stays_deleted_until_a_newer_upload(
    documents: Documents, tenant: Tenant, version: Version, live: Callable[[], str | None]
) -> None:
    publish(documents, version(1))
    documents.hide(tenant, A)

    assert documents.close(version(5)) == 3
    assert documents.close(version(5)) == 3

    assert not documents.begin(version(4), execution="two")
    assert documents.publish(replace(version(1), attempt=1), Content(title="Back", passages=1)) is None
    refuse(documents, version(4), "late")
    assert documents.list(tenant, limit=9, after=None) == []
    documents.announce(tenant, awaited())
    assert not documents.begin(version(4), execution="two")
    assert publish(documents, version(6)) == 4
    assert live() == generation(version(6))


@pytest.mark.guarantee_d
def test_a_late_deletion_takes_down_what_it_covers_and_nothing_newer(
    documents: Documents, tenant: Tenant, version: Version, live: Callable[[], str | None]
) -> None:
    publish(documents, version(1))
    documents.hide(tenant, A)
    newer = begun(documents, version(7))

    documents.close(version(5))

    assert live() is None
    assert documents.get(tenant, A).state == DocumentState.INGESTING
    documents.publish(newer, Content(title="New", passages=1))
    documents.close(version(6))
    assert live() == generation(version(7))


@pytest.mark.guarantee_d
def test_a_stale_deletion_does_not_reveal_a_document_hidden_after_it(
    documents: Documents, tenant: Tenant, version: Version, live: Callable[[], str | None]
) -> None:
    publish(documents, version(3))
    documents.hide(tenant, A)

    documents.close(version(2))
    assert live() is None

    documents.close(version(4))
    with pytest.raises(NotFoundError):
        documents.get(tenant, A)


def test_a_document_that_was_only_awaited_is_deleted_at_once(
    documents: Documents, tenant: Tenant, version: Version
) -> None:
    documents.close(version(3))
    documents.announce(tenant, awaited())

    assert documents.hide(tenant, A).name == "a.txt"

    assert documents.list(tenant, limit=9, after=None) == []
    assert not documents.begin(version(2), execution="two")
    assert publish(documents, version(4)) == 3


@pytest.mark.guarantee_d
@pytest.mark.parametrize("order", list(permutations("1235")))
def test_in_any_order_of_events_the_newest_change_wins(
    documents: Documents, version: Version, live: Callable[[], str | None], order: tuple[str, ...]
) -> None:
    """Version 3 is a deletion, the others are uploads."""
    for each in order:
        document = version(int(each))
        if each == "3":
            documents.close(document)
        else:
            publish(documents, document)

    assert live() == generation(version(5))


@pytest.mark.guarantee_d
def test_racing_publications_never_go_back(
    documents: Documents, tenant: Tenant, version: Version, live: Callable[[], str | None]
) -> None:
    seen: list[str] = []
    done = Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(live() or "")

    watcher = Thread(target=watch)
    watcher.start()
    published = at_once([partial(publish, documents, version(number)) for number in range(1, 13)])
    done.set()
    watcher.join()

    assert seen == sorted(seen)
    assert live() == generation(version(12))
    assert documents.corpus_version(tenant) == sum(each is not None for each in published)


@pytest.mark.guarantee_d
def test_of_racing_changes_each_raises_the_corpus_version_once(
    documents: Documents, tenant: Tenant, version: Version
) -> None:
    at_once([partial(publish, documents, version(1, name=f"{number}.txt")) for number in range(12)])

    assert documents.corpus_version(tenant) == 12


def test_documents_are_listed_by_id_page_by_page_without_deleted_ones(
    documents: Documents, tenant: Tenant, other_tenant: Tenant, version: Version
) -> None:
    for name in "abcdef":
        publish(documents, version(1, name=f"{name}.txt"))
    for name in "bcd":
        documents.close(version(2, name=f"{name}.txt"))
    publish(documents, version(1, name="x.txt", tenant=other_tenant))

    first = [record.document_id for record in documents.list(tenant, limit=2, after=None)]
    rest = [record.document_id for record in documents.list(tenant, limit=2, after=first[-1])]

    assert (first, rest) == (["doc_a", "doc_e"], ["doc_f"])


def test_a_long_row_of_deleted_documents_takes_few_reads(
    table: Table, dynamodb: "DynamoDBClient", clock: FakeClock, tenant: Tenant, version: Version
) -> None:
    documents = DynamoDocuments(table=table, clock=clock)
    reads: list[None] = []

    def note(**_: object) -> None:
        reads.append(None)

    for number in range(200):
        documents.close(version(1, name=f"{number:03}.txt"))
    publish(documents, version(1, name="last.txt"))
    dynamodb.meta.events.register("before-call.dynamodb.Query", note, unique_id="reads")

    listed = documents.list(tenant, limit=2, after=None)

    dynamodb.meta.events.unregister("before-call.dynamodb.Query", unique_id="reads")
    assert [record.document_id for record in listed] == ["doc_last"]
    assert len(reads) <= 5


@pytest.mark.guarantee_d
def test_a_comparison_with_the_bucket_is_told_of_every_document_of_one_tenant_deleted_ones_too(
    documents: Documents, version: Version, tenant: Tenant, other_tenant: Tenant, clock: FakeClock
) -> None:
    live, gone, asked = (version(number, name=name) for number, name in enumerate("abc", 1))
    for document in (live, gone, asked, version(9, tenant=other_tenant, name="other")):
        publish(documents, document)
    documents.close(version(4, name="b"))
    documents.hide(tenant, "doc_c")

    known = {each.newest.document_id: each for each in documents.known(tenant)}

    assert set(known) == {"doc_a", "doc_b", "doc_c"}
    assert known["doc_a"] == KnownDocument(
        newest=replace(live, attempt=1), state=DocumentState.READY, updated_at=clock.now()
    )
    deleted = known["doc_b"]
    assert (deleted.state, deleted.newest.sequence) == (DocumentState.DELETED, version(4).sequence)
    assert (known["doc_c"].state, known["doc_c"].hidden_from) == (DocumentState.READY, asked.sequence)


@pytest.mark.guarantee_e
def test_live_generations_are_those_of_one_tenant(documents: Documents, version: Version, other_tenant: Tenant) -> None:
    publish(documents, version(1))

    assert documents.live_generations(other_tenant, [A]) == {}
    assert documents.corpus_version(other_tenant) == 0


def test_more_documents_than_a_batch_holds_are_found(documents: Documents, tenant: Tenant, version: Version) -> None:
    publish(documents, version(1))
    many = [f"doc_{number}" for number in range(230)]

    assert documents.live_generations(tenant, [*many, A, A]) == {A: generation(version(1))}
    assert documents.live_generations(tenant, []) == {}
