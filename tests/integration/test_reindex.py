"""A reindex of the whole stack: searches go on while every document moves and others come and go."""

import time

import pytest
from opensearchpy import OpenSearch

from client.reindexing import Reindexing, told
from local.supervision import wait_until
from plinth.contracts.reindexing import OVER, Reindex, ReindexState
from tests.integration.conftest import Deployed
from tests.integration.uploads import ingest, put, searched_index, settled

pytestmark = pytest.mark.integration

TENANT = "moving"
PATIENCE_SECONDS = 420.0


def reindexing(deployed: Deployed) -> Reindexing:
    outputs = deployed.info.outputs
    return Reindexing(
        deployed.aws("dynamodb"),
        deployed.aws("stepfunctions"),
        table=outputs["DocumentsTable"],
        machine=outputs["ReindexMachineArn"],
    )


def begin(deployed: Deployed, *, reread: bool) -> None:
    """Start a reindex once the machine of the one before has ended."""
    assert wait_until(lambda: not reindexing(deployed).is_running(), timeout_seconds=PATIENCE_SECONDS)
    reindexing(deployed).start(reread=reread)


def is_under_way(deployed: Deployed) -> bool:
    """Tell whether the machine has begun and not ended."""
    current = reindexing(deployed).current()
    return current is not None and current.state not in OVER


def opened(deployed: Deployed, document_id: str) -> str:
    """Return the first passage of a document, as a reader opens it: from the index that is searched."""
    with deployed.http(TENANT) as http:
        answer = http.get(f"/v1/documents/{document_id}/passages/0")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["passages"][0]["text"])


def held(deployed: Deployed) -> dict[str, str]:
    """Return the tenant's texts in the searched index, by name."""
    client = OpenSearch(deployed.info.outputs["SearchUrl"], opaque_id="test")
    try:
        query = {"size": 100, "query": {"term": {"tenant": TENANT}}, "_source": {"excludes": ["vector"]}}
        hits = client.search(index=searched_index(deployed), body=query)["hits"]["hits"]
        return {hit["_source"]["name"]: hit["_source"]["text"] for hit in hits}
    finally:
        client.close()


def over(deployed: Deployed, kept: str) -> Reindex:
    """Wait for the end; until then the document `kept` can be opened at every moment."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert "capybara" in opened(deployed, kept)
        found = reindexing(deployed).current()
        if found and found.state in OVER:
            return found
        time.sleep(0.5)
    raise AssertionError(f"no end within {PATIENCE_SECONDS:.0f} s: {found and told(found, is_running=True)}")


@pytest.mark.guarantee_d
def test_documents_can_be_read_through_a_reindex_with_an_upload_and_a_deletion_in_its_middle(
    deployed: Deployed,
) -> None:
    kept = ingest(deployed, "kept.md", b"# Kept\n\nThe capybara likes water.", tenant=TENANT)
    gone = ingest(deployed, "gone.md", b"# Gone\n\nThe otter leaves.", tenant=TENANT)
    old = searched_index(deployed)

    begin(deployed, reread=True)
    put(deployed, "new.md", b"# New\n\nThe heron arrives.", tenant=TENANT)
    with deployed.api(TENANT) as api:
        api.delete_document(gone.document_id)
    ended = over(deployed, kept.document_id)
    settled(deployed, "new.md", tenant=TENANT)

    assert ended.state is ReindexState.DONE
    assert searched_index(deployed) == ended.target != old
    names = set(held(deployed))
    assert {"kept.md", "new.md"} <= names
    assert "gone.md" not in names
    client = OpenSearch(deployed.info.outputs["SearchUrl"], opaque_id="test")
    assert not client.indices.exists(index=old)
    client.close()


@pytest.mark.guarantee_d
def test_a_reindex_that_is_cancelled_leaves_everything_as_it_was(deployed: Deployed) -> None:
    kept = ingest(deployed, "stays.md", b"# Stays\n\nThe capybara stays.", tenant=TENANT)
    before, texts = searched_index(deployed), held(deployed)

    begin(deployed, reread=False)
    assert wait_until(lambda: is_under_way(deployed), timeout_seconds=60)
    cancelled = reindexing(deployed).cancel()
    ended = over(deployed, kept.document_id)

    assert (ended.id, ended.state) == (cancelled.id, ReindexState.CANCELLED)
    assert held(deployed) == texts
    client = OpenSearch(deployed.info.outputs["SearchUrl"], opaque_id="test")
    assert client.indices.exists(index=before)
    assert not client.indices.exists(index=ended.target)
    client.close()
