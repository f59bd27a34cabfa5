"""Which backends the suite runs against, and how a test gets an index of its own."""

import os
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opensearchpy import OpenSearch

from local.processes import LOOPBACK, free_port, start, stop, wait_healthy
from plinth.adapters import opensearch_client
from tests.conformance.opensearch_node import NodeUnavailableError, running_node
from tests.conformance.passages import Json, mapping

MakeIndex = Callable[..., str]

REAL = ["url", "node"] if "OPENSEARCH_URL" in os.environ else ["node"]


def connect(url: str) -> OpenSearch:
    return OpenSearch(url, timeout=60, max_retries=0)


@pytest.fixture(scope="session")
def local_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSearch]:
    """Return a client of a local engine that lives as long as the session."""
    place = tmp_path_factory.mktemp("search")
    port = free_port()
    command = [sys.executable, "-m", "local.search", "--port", str(port), "--data", str(place / "data")]
    engine = start("search", command, env=os.environ, log_path=place / "search.log")
    try:
        wait_healthy(f"http://{LOOPBACK}:{port}/_cluster/health", engine, 20)
        with connect(f"http://{LOOPBACK}:{port}") as client:
            yield client
    finally:
        stop([engine])


@pytest.fixture(scope="session")
def url_client() -> Iterator[OpenSearch]:
    """Return a client of whatever OPENSEARCH_URL names; OPENSEARCH_AUTH=es signs its requests."""
    signed = os.environ.get("OPENSEARCH_AUTH") == "es"
    url = os.environ["OPENSEARCH_URL"]
    with opensearch_client.connect(url, auth="es") if signed else connect(url) as client:
        yield client


@pytest.fixture(scope="session")
def node_client() -> Iterator[OpenSearch]:
    """Return a client of a real OpenSearch node on this machine."""
    cache = Path(os.environ.get("PLINTH_CACHE") or Path.home() / ".cache" / "plinth")
    try:
        with running_node(cache) as url, connect(url) as client:
            yield client
    except NodeUnavailableError as error:
        pytest.skip(f"CONFORMANCE LANE SKIPPED: no real OpenSearch was compared, because {error}")


@pytest.fixture(params=["local", *REAL])
def client(request: pytest.FixtureRequest) -> OpenSearch:
    """Return a client of each backend in turn."""
    return request.getfixturevalue(f"{request.param}_client")


@pytest.fixture(params=REAL)
def real_client(request: pytest.FixtureRequest) -> OpenSearch:
    """Return a client of each backend that is OpenSearch itself."""
    return request.getfixturevalue(f"{request.param}_client")


@pytest.fixture
def make_index() -> Iterator[MakeIndex]:
    """Make an index with some documents, visible at once, and remove it when the test is over."""
    made: list[tuple[OpenSearch, str]] = []

    def make(client: OpenSearch, documents: list[Json] = [], **method: object) -> str:  # noqa: B006
        name = f"conformance-{uuid.uuid4().hex}"
        client.indices.create(index=name, body=mapping(**method))
        made.append((client, name))
        write(client, name, documents)
        return name

    yield make
    for client, name in made:
        client.indices.delete(index=name, ignore=404)


def write(client: OpenSearch, index: str, documents: list[Json]) -> None:
    """Index documents under their chunk_id and make them visible."""
    if documents:
        lines: list[Json] = []
        for document in documents:
            lines += [{"index": {"_id": document["chunk_id"]}}, document]
        answer = client.bulk(index=index, body=lines)
        assert not answer["errors"], answer
    client.indices.refresh(index=index)
