"""How tests put documents into the stack and wait for what becomes of them."""

import time
from typing import Any

from opensearchpy import OpenSearch

from plinth.contracts.memory import DocumentRecord
from plinth.settings import Settings
from plinth.wiring.searching import newest_index
from tests.integration.conftest import Deployed

PATIENCE_SECONDS = 90.0
FINAL = {"ready", "refused"}


def put(deployed: Deployed, name: str, body: bytes, *, tenant: str = "acme") -> None:
    """Put an object into the bucket, as any producer of documents would."""
    deployed.aws("s3").put_object(Bucket=deployed.info.outputs["DocumentsBucket"], Key=f"{tenant}/{name}", Body=body)


def settled(deployed: Deployed, name: str, *, tenant: str = "acme") -> DocumentRecord:
    """Return the document once it is ready or refused."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with deployed.api(tenant) as api:
            found = next((each for each in api.documents() if each.name == name and each.state in FINAL), None)
        if found is not None:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{name} was neither ready nor refused within {PATIENCE_SECONDS:.0f} s")


def ingest(deployed: Deployed, name: str, body: bytes, *, tenant: str = "acme") -> DocumentRecord:
    """Put a document and return it once it is searchable."""
    put(deployed, name, body, tenant=tenant)
    document = settled(deployed, name, tenant=tenant)
    assert document.state == "ready", document
    return document


def await_absence(deployed: Deployed, document_id: str, *, tenant: str = "acme") -> None:
    """Return once the document is not found any more, and no passage of it is in the search engine."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with deployed.http(tenant) as http:
            status = http.get(f"/v1/documents/{document_id}").status_code
        if status == 404 and not passages(deployed, document_id):
            return
        time.sleep(0.2)
    raise AssertionError(f"{document_id} was still there after {PATIENCE_SECONDS:.0f} s")


def searched_index(deployed: Deployed) -> str:
    """Return the index that searches read, which a reindex changes."""
    rows = [item for item in deployed.items("Documents") if item["pk"]["S"] == "#INDEXES"]
    if not rows:
        return str(newest_index(Settings()))
    reads_old = rows[0]["state"]["S"] in {"filling", "cancelling", "cancelled"}
    return str(rows[0]["source" if reads_old else "target"]["S"])


def passages(deployed: Deployed, document_id: str) -> list[dict[str, Any]]:
    """Return what the search engine holds of a document."""
    client = OpenSearch(deployed.info.outputs["SearchUrl"], opaque_id="test")
    try:
        query = {"size": 1000, "query": {"term": {"document_id": document_id}}, "_source": {"excludes": ["vector"]}}
        return [hit["_source"] for hit in client.search(index=searched_index(deployed), body=query)["hits"]["hits"]]
    finally:
        client.close()
