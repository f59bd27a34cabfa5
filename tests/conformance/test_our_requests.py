"""Every request that our code sends, on every backend: recorded, compared with the list below, and its answer checked.

A method of `Memory` that is not called here, or a request that is not listed, fails: then it gets its line and its
expected answer first.
"""

import math
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from opensearchpy import OpenSearch

from plinth.adapters.opensearch_memory import OpenSearchMemory
from plinth.contracts.memory import DocumentVersion, Labels, Passage, SearchScope, Span
from plinth.contracts.retrieval import Mix
from plinth.contracts.tenant import Tenant
from plinth.errors import MemoryUnavailableError, PlinthError
from plinth.ports.documents import Memory

TENANT = Tenant(id="red")
MADE_BY_HAND = {"ensure_index"}
SENT = {
    "HEAD /{index}",
    "PUT /{index} mappings settings",
    "POST /{index}/_bulk index",
    "POST /{index}/_bulk delete",
    "POST /_msearch _source query.bool size",
    "POST /_msearch _source query.bool size sort",
    "POST /_msearch _source query.knn size",
    "POST /_msearch aggs query.bool size",
    "POST /_msearch query.bool size",
}


@pytest.fixture
def index(client: OpenSearch) -> Iterator[str]:
    name = f"conformance-{uuid.uuid4().hex}"
    yield name
    client.indices.delete(index=name, ignore=404)


class Recorder:
    """Stands before a client's transport, and notes the form of each request that passes."""

    def __init__(self, client: OpenSearch, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: set[str] = set()
        self._index = index
        self._perform: Callable[..., Any] = client.transport.perform_request
        monkeypatch.setattr(client.transport, "perform_request", self)

    def __call__(self, method: str, url: str, **options: Any) -> Any:
        path = url.replace(self._index, "{index}")
        self.sent |= {" ".join([method, path, *form]) for form in _forms(path, options.get("body"))}
        return self._perform(method, url, **options)


def _forms(path: str, body: Any) -> list[list[str]]:
    if body is None:
        return [[]]
    lines = [msgspec.json.decode(line) for line in body.splitlines()] if isinstance(body, bytes) else [body]
    if path.endswith("_bulk"):
        return [[*line] for line in lines if set(line) <= {"index", "delete"}]
    if path.endswith("_msearch"):
        lines = lines[1::2]
    return [sorted(f"query.{next(iter(each['query']))}" if key == "query" else key for key in each) for each in lines]


def version(number: int, name: str = "a") -> DocumentVersion:
    return DocumentVersion(
        tenant=TENANT,
        document_id=f"doc_{name}",
        name=f"{name}.txt",
        object_key=f"red/{name}.txt",
        version_id=None,
        sequence=f"{number:04d}",
        size_bytes=1,
        attempt=1,
    )


def passages(*texts: str, degrees: float = 0.0) -> list[tuple[Passage, list[float]]]:
    angle = math.radians(degrees)
    return [(Passage(position=at, text=text), [math.cos(angle), math.sin(angle)]) for at, text in enumerate(texts)]


def test_every_request_that_our_code_sends_is_listed_and_answered_alike(
    client: OpenSearch, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(client, index, monkeypatch)
    memory, everyone = OpenSearchMemory(client=client, index=index, dimension=2), SearchScope(tenant=TENANT)
    board = SearchScope(tenant=TENANT, held=("board",), metadata=(("year=2025", "year=2026"),))
    old, new, other = version(1), version(2), version(1, "b")

    assert memory.search(everyone, "bees", [1.0, 0.0], limit=3) == []  # before there is an index
    memory.index(old, "Insects", passages("bees dance", "wasps sting"))
    memory.index(new, "Insects", passages("bees dance well", "wasps sting", "ants dig"))
    memory.index(
        other, "Pay", passages("bees earn", degrees=60), labels=Labels(metadata=("year=2026",), access=("board",))
    )
    client.indices.refresh(index=index)

    found = memory.search(everyone, "bees", [1.0, 0.0], limit=9, mix=Mix(words=1, vectors=1, k=60))
    assert {each.text for each in found[:2]} == {"bees dance", "bees dance well"}
    assert "doc_b" not in {each.document_id for each in found}
    (closed,) = memory.search(board, "nothing", [1.0, 0.0], limit=9)
    assert (closed.document_id, closed.similarity) == ("doc_b", pytest.approx(0.5, abs=1e-4))
    span = Span(document_id="doc_a", generation=new.generation, first=1, last=2)
    assert [each.text for each in memory.around(everyone, [span])] == ["wasps sting", "ants dig"]
    assert set(memory.vectors(TENANT, "doc_a", new.generation)) == {"bees dance well", "wasps sting", "ants dig"}
    assert (memory.count(old), memory.count(new)) == (2, 3)
    assert memory.remove_older(new) == 2
    client.indices.refresh(index=index)
    assert (memory.count(old), memory.count(new)) == (0, 3)
    assert memory.remove_this(new) == 3
    assert memory.remove_through(version(9, "b")) == 1
    client.indices.refresh(index=index)
    assert memory.remove_tenant(TENANT) == 0

    assert recorder.sent - {"POST /{index}/_refresh"} == SENT


def test_every_method_of_memory_is_called_above() -> None:
    text = Path(__file__).read_text()

    methods = {name for name in vars(Memory) if not name.startswith("_")}
    assert {name for name in methods if f"memory.{name}(" not in text} <= MADE_BY_HAND


def test_requests_that_are_refused_are_permanent_errors(client: OpenSearch, index: str) -> None:
    memory = OpenSearchMemory(client=client, index=index, dimension=2)
    memory.index(version(1), "Insects", passages("bees"))

    for call in (
        lambda: memory.index(version(2), "Insects", [(Passage(position=0, text="one"), [1.0, 0.0, 0.0])]),
        lambda: memory.search(SearchScope(tenant=TENANT), "bees", [1.0, 0.0, 0.0], limit=1),
    ):
        with pytest.raises(PlinthError) as refused:
            call()
        assert not isinstance(refused.value, MemoryUnavailableError)
