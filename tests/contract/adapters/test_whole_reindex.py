"""A reindex to another embedding model, step by step, over DynamoDB and the search engine."""

import json
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from opensearchpy import OpenSearch

from functions.advance_reindex.handler import advance_reindex
from functions.fill_document.handler import fill_document
from plinth.adapters.dynamo_documents import DynamoDocuments
from plinth.adapters.dynamo_indexes import DynamoIndexes
from plinth.adapters.opensearch_requests import MAPPING_VERSION
from plinth.contracts.memory import Content, DocumentVersion, Passage, SearchScope
from plinth.contracts.reindexing import AdvanceReindexInput, AdvanceReindexOutput, FillDocumentInput
from plinth.contracts.retrieval import DEFAULT_MIX
from plinth.contracts.tenant import Tenant
from plinth.errors import PassagesNotVisibleError
from plinth.wiring import Services
from tests.contract.adapters.conftest import made_table
from tests.fakes.clock import FakeClock
from tests.fakes.indexes import FakeFillLists
from tests.fakes.models import FakeEmbedder

Version = Callable[..., DocumentVersion]
TEXTS = ("bees dance", "wasps sting", "ants dig")


@pytest.fixture
def services(
    request: pytest.FixtureRequest, search_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> Services:
    """Return services whose own model has eight dimensions, and whose tenants begin in an index of one with two."""
    before, now = f"old-{uuid4().hex}", f"new-{uuid4().hex}"
    for name, value in {
        "PLINTH_OPENSEARCH_URL": search_url,
        "PLINTH_OPENSEARCH_AUTH": "none",
        "PLINTH_SEARCH_INDEX": now,
        "PLINTH_VECTOR_DIMENSION": "8",
        "PLINTH_EARLIER_MODELS": json.dumps([{"index": before, "dimension": 2}]),
        "PLINTH_IMPORTS_AT_ONCE": "2",
        "PLINTH_REINDEX_GRACE_SECONDS": "10",
    }.items():
        monkeypatch.setenv(name, value)
    made, table = Services(), made_table(request.getfixturevalue("dynamodb"))
    first = f"{before}-m{MAPPING_VERSION}"
    made.documents = DynamoDocuments(table=table, clock=clock, first_index=first)
    made.indexes = DynamoIndexes(table=table, first_index=first)
    made.fill_lists, made.clock, made.embedder = FakeFillLists(), clock, FakeEmbedder()
    return made


def published(services: Services, document: DocumentVersion) -> DocumentVersion:
    index = services.documents.corpus(document.tenant).indexes.live
    attempt = services.documents.begin(document, execution=uuid4().hex) or 0
    tried = replace(document, attempt=attempt)
    pairs = [(Passage(position=at, text=text), [1.0, float(at)]) for at, text in enumerate(TEXTS)]
    services.memory.named(index).index(tried, "Insects", pairs)
    assert services.documents.publish(tried, Content(title="Insects", passages=len(TEXTS))) is not None
    return tried


def advanced(services: Services, told: AdvanceReindexOutput | None) -> AdvanceReindexOutput:
    asked = AdvanceReindexInput(reindex_id="r1", reread=False, round=told.round if told else 0)
    return advance_reindex(asked, services)


@pytest.mark.guarantee_d
def test_documents_move_to_another_model_while_one_of_them_goes(
    services: Services, search_url: str, clock: FakeClock, tenant: Tenant, version: Version
) -> None:
    kept, gone = published(services, version(1)), published(services, version(1, name="b.txt"))
    old = services.documents.corpus(tenant).indexes.live

    told = advanced(services, None)
    assert told.next == "fill"
    services.documents.close(replace(gone, sequence=version(2, name="b.txt").sequence))
    stale: dict[str, bool] = {}
    for each in services.fill_lists.lists[told.manifest]:
        asked = FillDocumentInput(document=each.document, passages=each.passages, target=each.target)
        copied = fill_document(asked, services).copied
        stale[each.document.document_id] = fill_document(replace(asked, copied=copied), services).stale
    assert stale == {kept.document_id: False, gone.document_id: True}
    assert services.documents.corpus(tenant).indexes.live == old
    seen: list[str] = []
    while (told := advanced(services, told)).next == "wait":
        seen.append(services.documents.corpus(tenant).indexes.live)
        clock.advance(told.wait_seconds)

    new = services.documents.corpus(tenant).indexes
    assert (told.next, new.other, set(seen)) == ("end", None, {new.live})
    vector = services.embedder_of(new.live).embed(["bees dance"])[0]
    found = services.memory.named(new.live).search(SearchScope(tenant=tenant), "bees", vector, limit=9, mix=DEFAULT_MIX)
    assert {(each.generation, each.text) for each in found} == {(kept.generation, text) for text in TEXTS}
    assert found[0].text == "bees dance"
    client = OpenSearch(search_url)
    assert not client.indices.exists(index=old)
    client.close()


@pytest.mark.guarantee_d
def test_a_version_that_a_search_does_not_see_whole_yet_is_not_copied_in_part(
    services: Services, version: Version
) -> None:
    live = published(services, version(1))
    target = str(services.newest_index)
    asked = FillDocumentInput(document=live, passages=len(TEXTS) + 1, target=target)

    with pytest.raises(PassagesNotVisibleError, match="3 of 4"):
        fill_document(asked, services)

    assert services.memory.named(target).count(live) == 0
