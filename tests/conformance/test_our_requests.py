"""Every request that our code sends, on every backend: recorded, compared with our_requests.txt, its answer checked.

A method of `Memory` that is not called here, or a shape or a refusal that is not listed, fails. What the contract tests
of the adapters send is recorded too, and what the functions send to the stack of the integration tests, and may be
nothing else. UPDATE_REQUESTS=1 writes the list anew: read what changed.
"""

import math
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from opensearchpy import OpenSearch

from plinth.adapters.opensearch_memory import OpenSearchMemory
from plinth.contracts.memory import DocumentVersion, Labels, Passage, SearchScope, Span
from plinth.contracts.retrieval import DEFAULT_MIX, Mix
from plinth.contracts.tenant import Tenant
from plinth.errors import MemoryUnavailableError, PlinthError
from plinth.ports.documents import Memory
from tests.conformance.shapes import FILE, listed, recorded

TENANT = Tenant(id="red")
MADE_BY_HAND = {"ensure_index"}


@pytest.fixture
def index(client: OpenSearch) -> Iterator[str]:
    name = f"conformance-{uuid.uuid4().hex}"
    yield name
    client.indices.delete(index=name, ignore=404)


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
    vector = [math.cos(angle), math.sin(angle)]
    return [(Passage(position=at, text=text, above="Insects > Lives"), vector) for at, text in enumerate(texts)]


def test_every_request_that_our_code_sends_is_listed_and_answered_alike(
    client: OpenSearch, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recorded(monkeypatch, lambda transport: transport is client.transport) as sent:
        _passages_are_found(client, index)
        _passages_are_removed(client, index)
        _ids_may_be_the_engines_own(client, index)
        _an_index_that_another_made_meanwhile_is_used(client, index, monkeypatch)
        _what_is_refused_is_a_permanent_error(client, index)

    sent.remove("POST /{index}/_refresh")  # the tests' own
    if "UPDATE_REQUESTS" in os.environ:
        FILE.write_text("".join(f"{shape}\n" for shape in sorted(sent)))
    assert sent == listed()


def _passages_are_found(client: OpenSearch, index: str) -> None:
    memory, everyone = OpenSearchMemory(client=client, index=index, dimension=2), SearchScope(tenant=TENANT)
    board = SearchScope(tenant=TENANT, held=("board",), metadata=(("year=2025", "year=2026"),))
    new, other = version(2), version(1, "b")
    labels = Labels(metadata=("year=2026",), access=("board",))
    placed = Passage(position=0, text="bees earn", page=1, heading="Pay", context="Of the board", context_key="k")

    assert memory.search(everyone, "bees", [1.0, 0.0], limit=3, mix=DEFAULT_MIX) == []  # before there is an index
    memory.index(version(1), "Insects", passages("bees dance", "wasps sting"))
    memory.index(new, "Insects", passages("bees dance well", "wasps sting", "ants dig"))
    memory.index(other, "Pay", [(placed, [0.5, math.sqrt(0.75)])], labels=labels)
    client.indices.refresh(index=index)

    found = memory.search(everyone, "bees", [1.0, 0.0], limit=9, mix=Mix(words=1, vectors=1, k=60))
    assert {each.text for each in found[:2]} == {"bees dance", "bees dance well"}
    assert "doc_b" not in {each.document_id for each in found}
    (closed,) = memory.search(board, "nothing", [1.0, 0.0], limit=9, mix=DEFAULT_MIX)
    assert (closed.document_id, closed.similarity) == ("doc_b", pytest.approx(0.5, abs=1e-4))
    span = Span(document_id="doc_a", generation=new.generation, first=1, last=2)
    assert [each.text for each in memory.around(everyone, [span])] == ["wasps sting", "ants dig"]
    (placed_again,) = memory.around(board, [Span(document_id="doc_b", generation=other.generation, first=0, last=0)])
    assert (placed_again.page, placed_again.heading, placed_again.context) == (1, "Pay", "Of the board")
    (by_context,) = memory.search(board, "board", [-1.0, 0.0], limit=9, mix=Mix(words=1, vectors=0, k=60))
    assert by_context.document_id == "doc_b"
    held = [each.in_context for each, _ in memory.read(new).passages]
    assert held == [f"Insects > Lives\n{text}" for text in ("bees dance well", "wasps sting", "ants dig")]


def _passages_are_removed(client: OpenSearch, index: str) -> None:
    memory = OpenSearchMemory(client=client, index=index, dimension=2)
    old, new = version(1), version(2)

    assert (memory.count(old), memory.count(new)) == (2, 3)
    assert memory.remove_older(new) == 2
    client.indices.refresh(index=index)
    assert (memory.count(old), memory.count(new)) == (0, 3)
    assert memory.remove_this(new) == 3
    assert memory.remove_this(new) in (0, 3)  # what is removed is visible until a refresh, and may be removed again
    assert memory.remove_through(version(9, "b")) == 1
    client.indices.refresh(index=index)
    assert memory.remove_tenant(TENANT) == 0


def _ids_may_be_the_engines_own(client: OpenSearch, index: str) -> None:
    memory = OpenSearchMemory(client=client, index=index, dimension=2, natural_ids=False)
    for _ in range(2):
        memory.index(version(1), "Insects", passages("bees dance"))
    client.indices.refresh(index=index)

    assert memory.count(version(1)) == 1
    assert memory.remove_tenant(TENANT) == 2
    for _ in range(2):
        memory.drop()


def _an_index_that_another_made_meanwhile_is_used(
    client: OpenSearch, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = OpenSearchMemory(client=client, index=index, dimension=2)
    OpenSearchMemory(client=client, index=index, dimension=2).ensure_index()
    with monkeypatch.context() as patched:
        patched.setattr(client.indices, "exists", lambda index: False)
        memory.index(version(1), "Insects", passages("bees dance"))

    client.indices.refresh(index=index)
    assert memory.count(version(1)) == 1


def _what_is_refused_is_a_permanent_error(client: OpenSearch, index: str) -> None:
    memory = OpenSearchMemory(client=client, index=index, dimension=2)
    memory.index(version(1), "Insects", passages("bees"))

    for call in (
        lambda: memory.index(version(2), "Insects", [(Passage(position=0, text="one"), [1.0, 0.0, 0.0])]),
        lambda: memory.search(SearchScope(tenant=TENANT), "bees", [1.0, 0.0, 0.0], limit=1, mix=DEFAULT_MIX),
    ):
        with pytest.raises(PlinthError) as refused:
            call()
        assert not isinstance(refused.value, MemoryUnavailableError)


def test_a_node_without_room_or_memory_is_to_be_asked_again(node_client: OpenSearch) -> None:
    """Tell its 429s apart from refusals. No other engine can be brought to them: they are in no list of shapes."""
    name = f"conformance-{uuid.uuid4().hex}"
    memory = OpenSearchMemory(client=node_client, index=name, dimension=2)
    memory.index(version(1), "Insects", passages("bees"))

    try:
        node_client.indices.put_settings(index=name, body={"index.blocks.read_only_allow_delete": True})
        with pytest.raises(MemoryUnavailableError, match="429 cluster_block_exception"):
            memory.index(version(2), "Insects", passages("bees dance"))
        node_client.cluster.put_settings(body={"transient": {"indices.breaker.request.limit": "1b"}})
        with pytest.raises(MemoryUnavailableError, match="429 search_phase_execution_exception"):
            memory.count(version(1))
    finally:
        node_client.cluster.put_settings(body={"transient": {"indices.breaker.request.limit": None}})
        node_client.indices.delete(index=name)


def test_every_method_of_memory_is_called_above() -> None:
    text = Path(__file__).read_text()

    methods = {name for name in vars(Memory) if not name.startswith("_")}
    assert {name for name in methods if f"memory.{name}(" not in text} <= MADE_BY_HAND
