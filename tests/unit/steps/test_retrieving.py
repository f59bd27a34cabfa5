"""RetrieveContext: what an environment sets of it, and what becomes of a cross-encoder that does not answer."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from functions.retrieve_context.handler import retrieve_context
from plinth.contracts.memory import Content, DocumentVersion, Passage, StoredPassage
from plinth.contracts.retrieval import Retrieval
from plinth.contracts.runs import Run
from plinth.errors import MemoryUnavailableError, SettingMissingError
from plinth.settings import Settings
from tests.unit.steps.conftest import TENANT, ChainServices

Call = Callable[..., dict[str, Any]]
Accept = Callable[..., Run]
TEXTS = ("bees dance in the hive", "bees dance", "wasps dance in the hive", "bees in the hive dance")


class ByLength:
    """A cross-encoder that likes short texts; one that is away does not answer."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        del question
        if self.away:
            raise MemoryUnavailableError("the endpoint sleeps")
        return [1 / len(text) for text in texts]


def version(sequence: str) -> DocumentVersion:
    return DocumentVersion(
        tenant=TENANT,
        document_id="doc_a",
        name="a.md",
        object_key="acme/a.md",
        version_id=f"v{sequence}",
        sequence=sequence,
        attempt=1,
        size_bytes=1,
    )


@pytest.fixture
def retrieved(services: ChainServices, call: Call, accept: Accept) -> Callable[..., list[str]]:
    """Return the texts that are found for "bees dance in the hive" by this way of retrieving."""

    def retrieve(**how: Any) -> list[str]:
        document = version("0001")
        pairs = [(Passage(position=at, text=text), services.embedder.embed([text])[0]) for at, text in enumerate(TEXTS)]
        services.documents.begin(document, execution="one")
        services.memory.index(document, "Insects", pairs)
        services.documents.publish(document, Content(title="Insects", passages=len(TEXTS)))
        services.settings = Settings()
        services.settings.retrieval = Retrieval(**how)
        run = accept("bees dance in the hive")
        call(retrieve_context, run=run)
        return [each.text for each in services.runs.get_content(run, "passages", tuple[StoredPassage, ...])]

    return retrieve


def test_by_default_four_passages_of_a_document_are_kept_in_its_order(retrieved: Callable[..., list[str]]) -> None:
    assert retrieved() == list(TEXTS)


def test_a_document_gets_no_more_places_than_it_may_have(retrieved: Callable[..., list[str]]) -> None:
    assert retrieved(per_document=1) == [TEXTS[0]]


def test_neighbours_of_what_was_found_come_too(retrieved: Callable[..., list[str]]) -> None:
    assert retrieved(per_document=1, neighbours=1) == [TEXTS[0], TEXTS[1]]


def test_below_the_floor_nothing_is_found(retrieved: Callable[..., list[str]]) -> None:
    assert retrieved(floor=1.1) == []


@pytest.mark.parametrize(("away", "kept"), [(False, TEXTS[1]), (True, TEXTS[0])])
def test_a_cross_encoder_ranks_again_and_one_that_is_away_changes_nothing(
    services: ChainServices, retrieved: Callable[..., list[str]], kept: str, *, away: bool
) -> None:
    services.reranker = ByLength(away=away)

    assert kept in retrieved(rerank=True, per_document=9)[:2]


def test_the_environment_sets_some_fields_and_a_bad_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLINTH_RETRIEVAL", '{"floor": 0.5, "mix": {"k": 9}}')
    given = Settings().retrieval
    assert (given.floor, given.mix.k, given.mix.words) == (0.5, 9, Retrieval().mix.words)

    monkeypatch.setenv("PLINTH_RETRIEVAL", '{"floor": "high"}')
    with pytest.raises(SettingMissingError, match="floor"):
        _ = Settings().retrieval


def test_passages_of_a_replaced_version_that_crowd_the_index_hide_nothing(
    services: ChainServices, retrieved: Callable[..., list[str]]
) -> None:
    document = version("0000")
    text = "bees dance in the hive"
    crowd = [(Passage(position=at, text=text), services.embedder.embed([text])[0]) for at in range(100)]
    services.memory.index(document, "Insects", crowd)

    assert retrieved() == list(TEXTS)
