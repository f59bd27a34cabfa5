"""Vectors of two embedding models never meet: the wiring gives each model an index of its own."""

from collections.abc import Callable

import pytest

from plinth.contracts.memory import DocumentVersion, Passage, SearchScope
from plinth.contracts.retrieval import DEFAULT_MIX
from plinth.contracts.tenant import Tenant
from plinth.errors import PlinthError
from plinth.ports.documents import Memory
from plinth.wiring import Services
from plinth.wiring.searching import newest_index

VECTOR = [1.0] + [0.0] * 383


@pytest.fixture
def memory_of(search_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Memory]:
    """Wire the memory of a function whose environment names this index."""

    def wire(index: str) -> Memory:
        monkeypatch.setenv("PLINTH_OPENSEARCH_URL", search_url)
        monkeypatch.setenv("PLINTH_OPENSEARCH_AUTH", "none")
        monkeypatch.setenv("PLINTH_SEARCH_INDEX", index)
        services = Services()
        return services.memory.named(str(newest_index(services.settings)))

    return wire


def test_what_one_model_indexed_is_not_found_with_the_vectors_of_another(
    memory_of: Callable[[str], Memory], version: Callable[..., DocumentVersion], tenant: Tenant
) -> None:
    one, other = memory_of("passages-one"), memory_of("passages-other")
    document = version(1)

    one.index(document, "Hours", [(Passage(position=0, text="It opens at nine."), VECTOR)])

    assert len(one.search(SearchScope(tenant=tenant), "opens", VECTOR, limit=3, mix=DEFAULT_MIX)) == 1
    assert other.search(SearchScope(tenant=tenant), "opens", VECTOR, limit=3, mix=DEFAULT_MIX) == []


def test_a_vector_of_another_length_is_refused(
    memory_of: Callable[[str], Memory], version: Callable[..., DocumentVersion]
) -> None:
    memory = memory_of("passages-short")

    with pytest.raises(PlinthError, match="refuses"):
        memory.index(version(1), "Hours", [(Passage(position=0, text="It opens at nine."), [1.0])])
