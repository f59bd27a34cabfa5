"""The contract of `Indexes`: a tenant's pointer changes by one conditional write, and bounds what is published."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple
from uuid import uuid4

import pytest

from plinth.adapters.dynamo_documents import DynamoDocuments
from plinth.adapters.dynamo_indexes import DynamoIndexes
from plinth.contracts.indexes import TenantIndexes
from plinth.contracts.memory import Content, DocumentVersion
from plinth.contracts.reindexing import Reindex, ReindexState
from plinth.contracts.runs import Failure
from plinth.contracts.tenant import Tenant
from plinth.errors import StoreUnavailableError
from plinth.memory.document_row import STUCK_SECONDS
from plinth.ports.documents import Documents
from plinth.ports.indexes import Indexes
from tests.contract.adapters.conftest import made_table
from tests.fakes.clock import FakeClock
from tests.fakes.documents import FakeDocuments
from tests.fakes.indexes import FakeIndexes
from tests.fakes.memory import FIRST_INDEX

Version = Callable[..., DocumentVersion]
OLD, BOTH = TenantIndexes(live=FIRST_INDEX), TenantIndexes(live=FIRST_INDEX, other="passages-m9-1")
NEW = TenantIndexes(live="passages-m9-1", other=FIRST_INDEX)


class Stores(NamedTuple):
    """Documents and the pointers of their tenants."""

    documents: Documents
    indexes: Indexes


@pytest.fixture(params=["fake", "dynamodb"])
def stores(request: pytest.FixtureRequest, clock: FakeClock) -> Stores:
    if request.param == "fake":
        documents = FakeDocuments(clock)
        return Stores(documents, FakeIndexes(documents))
    table = made_table(request.getfixturevalue("dynamodb"))  # its own: a reindex is the environment's
    made = DynamoDocuments(table=table, clock=clock, first_index=FIRST_INDEX)
    return Stores(made, DynamoIndexes(table=table, first_index=FIRST_INDEX))


def published(stores: Stores, document: DocumentVersion, indexes: TenantIndexes | None = None) -> DocumentVersion:
    attempt = stores.documents.begin(document, execution=uuid4().hex)
    tried = replace(document, attempt=attempt or 0)
    assert stores.documents.publish(tried, Content(title="T", passages=1, indexes=indexes)) is not None
    return tried


def test_a_tenant_begins_in_the_first_index_and_stays_there(stores: Stores, tenant: Tenant, version: Version) -> None:
    assert stores.documents.corpus(tenant).indexes == OLD
    assert (stores.indexes.known(tenant), list(stores.indexes.all())) == (None, [])

    published(stores, version(1))

    assert stores.documents.corpus(tenant).version == 1
    assert (stores.indexes.known(tenant), list(stores.indexes.all())) == (OLD, [(tenant, OLD)])


def test_a_pointer_changes_only_from_what_it_was_thought_to_be(
    stores: Stores, tenant: Tenant, version: Version
) -> None:
    assert not stores.indexes.change(tenant, OLD, BOTH)
    published(stores, version(1))

    assert stores.indexes.change(tenant, OLD, BOTH)
    assert not stores.indexes.change(tenant, OLD, BOTH)
    assert stores.indexes.change(tenant, BOTH, NEW)
    assert stores.documents.corpus(tenant).indexes == NEW
    assert stores.documents.corpus(tenant).version == 1


@pytest.mark.guarantee_d
def test_a_document_is_published_only_in_the_indexes_that_its_tenant_has(
    stores: Stores, tenant: Tenant, version: Version
) -> None:
    published(stores, version(1))
    stores.indexes.change(tenant, OLD, BOTH)
    late = replace(version(2), attempt=stores.documents.begin(version(2), execution="late") or 0)

    with pytest.raises(StoreUnavailableError, match="indexes"):
        stores.documents.publish(late, Content(title="T", passages=1, indexes=OLD))

    assert not stores.documents.is_live(late)
    assert stores.documents.publish(late, Content(title="T", passages=1, indexes=BOTH)) == 2
    assert list(stores.documents.lacking(tenant, "passages-m9-1")) == []


@pytest.mark.guarantee_d
def test_what_an_index_lacks_is_listed_until_its_copy_is_noted(
    stores: Stores, tenant: Tenant, version: Version
) -> None:
    first, second = published(stores, version(1)), published(stores, version(1, name="b.txt"))
    stores.documents.hide(tenant, second.document_id)

    lacking = {each.version.document_id: each for each in stores.documents.lacking(tenant, "passages-m9-1")}

    assert {name: (each.version.generation, each.passages, each.newest) for name, each in lacking.items()} == {
        first.document_id: (first.generation, 1, True),
        second.document_id: (second.generation, 1, False),
    }
    assert lacking[first.document_id].version.version_id == first.version_id
    assert stores.documents.copied(first, "passages-m9-1")
    assert not stores.documents.copied(replace(second, attempt=9), "passages-m9-1")
    assert [each.version.document_id for each in stores.documents.lacking(tenant, "passages-m9-1")] == [
        second.document_id
    ]


def test_a_live_version_is_tried_again_for_an_index_that_lacks_it_and_stays_ready_if_that_fails(
    stores: Stores, version: Version
) -> None:
    live = published(stores, version(1))

    assert stores.documents.begin(version(1), execution="again") is None
    assert stores.documents.begin(version(1), execution="again", reread_for=FIRST_INDEX) is None
    assert stores.documents.begin(version(1), execution="again", reread_for="passages-m9-1") == 2
    failure = Failure(reason="encrypted", message="remove the password")
    assert stores.documents.refuse(version(1), failure, execution="again") is None
    assert stores.documents.is_live(live)
    assert stores.documents.get(live.tenant, live.document_id).state == "ready"
    assert not stores.documents.awaits(replace(live, attempt=2))


@pytest.mark.guarantee_d
def test_a_second_reading_that_died_leaves_the_document_ready_once_its_copy_is_noted(
    stores: Stores, version: Version
) -> None:
    live = published(stores, version(1))
    assert stores.documents.begin(version(1), execution="again", reread_for="passages-m9-1") == 2

    assert stores.documents.copied(live, "passages-m9-1")

    assert stores.documents.get(live.tenant, live.document_id).state == "ready"
    assert not stores.documents.awaits(replace(live, attempt=2))


def test_a_copy_that_is_noted_says_nothing_of_a_newer_upload_that_is_under_way(
    stores: Stores, version: Version
) -> None:
    live = published(stores, version(1))
    stores.documents.begin(version(2), execution="newer")

    assert stores.documents.copied(live, "passages-m9-1")

    assert stores.documents.awaits(replace(version(2), attempt=1))


@pytest.mark.guarantee_d
def test_a_second_reading_that_died_uncopied_is_tried_again_once_it_must_have_ended(
    stores: Stores, version: Version, clock: FakeClock
) -> None:
    live = published(stores, version(1))
    stores.documents.begin(version(1), execution="again", reread_for="passages-m9-1")
    assert stores.documents.begin(version(1), execution="event that came twice") is None

    clock.advance(STUCK_SECONDS + 1)
    redriven = stores.documents.redrivable(live.tenant, live.document_id)

    assert redriven is not None
    assert stores.documents.begin(redriven, execution="redriven") == 3
    assert stores.documents.publish(replace(live, attempt=3), Content(title="T", passages=1, indexes=OLD))
    assert stores.documents.get(live.tenant, live.document_id).state == "ready"


def test_a_reindex_is_written_by_revision_and_says_where_tenants_begin(stores: Stores, tenant: Tenant) -> None:
    assert stores.indexes.reindex() is None
    begun = Reindex(
        id="r1",
        number=1,
        state=ReindexState.FILLING,
        source=FIRST_INDEX,
        target="passages-m9-1",
        reread=True,
        started_at=1.5,
        changed_at=2.0,
    )

    saved = stores.indexes.save(begun)

    assert stores.indexes.reindex() == saved == replace(begun, revision=1)
    assert stores.documents.corpus(tenant).indexes == stores.indexes.first() == BOTH
    with pytest.raises(StoreUnavailableError):
        stores.indexes.save(begun)
    switched = stores.indexes.save(replace(saved, state=ReindexState.SWITCHED, leaving=(FIRST_INDEX,)))
    assert stores.documents.corpus(tenant).indexes == NEW
    stores.indexes.save(replace(switched, state=ReindexState.DONE))
    assert stores.documents.corpus(tenant).indexes == TenantIndexes(live="passages-m9-1")
