"""The contract of `Memory`, held by the fake and by the local search engine through opensearch-py."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import uuid4

import msgspec
import pytest
from opensearchpy import OpenSearch

from local.processes import free_port
from plinth.adapters.opensearch_memory import OpenSearchMemory, connect
from plinth.adapters.opensearch_requests import by_words, passage_source
from plinth.contracts.memory import (
    NO_LABELS,
    DocumentVersion,
    Labels,
    Passage,
    SearchScope,
    Span,
    StoredPassage,
)
from plinth.contracts.retrieval import DEFAULT_MIX, Mix
from plinth.contracts.tenant import Tenant
from plinth.errors import MemoryUnavailableError, PlinthError
from plinth.ports.documents import Memory
from tests.fakes.memory import FakeMemory

Version = Callable[..., DocumentVersion]
NORTH, EAST = (1.0, 0.0), (0.0, 1.0)


@pytest.fixture
def engine(search_url: str) -> OpenSearch:
    return connect(search_url, auth="none")


@pytest.fixture(params=["fake", "natural ids", "given ids"])
def memory(request: pytest.FixtureRequest) -> Memory:
    if request.param == "fake":
        return FakeMemory()
    return OpenSearchMemory(
        client=request.getfixturevalue("engine"),
        index=f"passages-{uuid4().hex}",
        dimension=2,
        natural_ids=request.param == "natural ids",
    )


def direction(degrees: float) -> tuple[float, float]:
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def passages(*texts: str, vector: Sequence[float] = NORTH) -> list[tuple[Passage, Sequence[float]]]:
    return [(Passage(position=position, text=text), vector) for position, text in enumerate(texts)]


def test_before_the_first_document_nothing_is_found_counted_or_removed(
    memory: Memory, tenant: Tenant, version: Version
) -> None:
    assert memory.search(SearchScope(tenant=tenant), "anything", NORTH, limit=5, mix=DEFAULT_MIX) == []
    assert memory.count(version(1)) == 0
    assert memory.remove_through(version(1)) == 0


def test_a_passage_comes_back_whole(memory: Memory, tenant: Tenant, version: Version) -> None:
    passage = Passage(
        position=4, text="Bees dance.", page=3, heading="Dance", above="About bees > Dance", start=70, end=81, tokens=9
    )
    memory.index(version(1), "About bees", [(passage, NORTH)])

    (found,) = memory.search(SearchScope(tenant=tenant), "bees", NORTH, limit=5, mix=DEFAULT_MIX)

    assert found.chunk_id == f"doc_a:{version(1).generation}:000004"
    assert (found.document_id, found.generation) == ("doc_a", version(1).generation)
    assert (found.name, found.title, found.position, found.text) == ("a.txt", "About bees", 4, "Bees dance.")
    assert (found.page, found.heading, found.above) == (3, "Dance", "About bees > Dance")
    assert (found.start, found.end, found.tokens) == (70, 81, 9)
    assert found.score == pytest.approx((DEFAULT_MIX.words + DEFAULT_MIX.vectors) / (DEFAULT_MIX.k + 1))
    assert found.similarity == pytest.approx(1.0, abs=1e-4)


def test_a_context_is_searched_and_read_back_and_part_of_no_other_field(
    memory: Memory, tenant: Tenant, version: Version
) -> None:
    placed = Passage(position=0, text="It dances.", above="Bees", context="Of foraging bees", context_key="k1")
    memory.index(version(1), "Bees", [(placed, direction(90))])
    memory.index(version(1, name="b.txt"), "Bees", passages("It digs.", vector=direction(80)))

    found = memory.search(SearchScope(tenant=tenant), "foraging", NORTH, limit=5, mix=Mix(words=1, vectors=0))

    assert (found[0].text, found[0].above, found[0].context) == ("It dances.", "Bees", "Of foraging bees")
    assert [each for each, _ in memory.read(version(1)).passages] == [placed]


def test_passages_are_found_by_meaning_in_order_of_their_angle(
    memory: Memory, tenant: Tenant, version: Version
) -> None:
    angles = [50, 10, 90, 30]
    memory.index(
        version(1),
        "Title",
        [(Passage(position=at, text="same"), direction(angle)) for at, angle in enumerate(angles)],
    )

    found = memory.search(SearchScope(tenant=tenant), "unrelated", NORTH, limit=3, mix=DEFAULT_MIX)

    assert [each.position for each in found] == [1, 3, 0]


def test_the_weights_decide_between_words_and_meaning_and_similarity_is_the_cosine(
    memory: Memory, tenant: Tenant, version: Version
) -> None:
    memory.index(version(1), "Title", passages("bees", vector=direction(80)))
    memory.index(version(1, name="b.txt"), "Title", passages("wasps", vector=direction(60)))

    def found(mix: Mix) -> list[StoredPassage]:
        return memory.search(SearchScope(tenant=tenant), "bees", NORTH, limit=2, mix=mix)

    assert [each.document_id for each in found(Mix(words=0.9, vectors=0.1))] == ["doc_a", "doc_b"]
    assert [each.document_id for each in found(Mix(words=0, vectors=1))] == ["doc_b", "doc_a"]
    assert [each.similarity for each in found(Mix(words=0, vectors=1))] == pytest.approx(
        [math.cos(math.radians(60)), math.cos(math.radians(80))], abs=1e-4
    )


def test_passages_around_a_place_come_by_position_and_within_the_scope_alone(
    memory: Memory, tenant: Tenant, other_tenant: Tenant, version: Version
) -> None:
    for document in (version(1), version(2), version(1, tenant=other_tenant)):
        memory.index(document, "Title", passages("zero", "one", "two", "three", "four"))
    labels = Labels(access=("board",))
    memory.index(version(1, name="b.txt"), "Title", passages("closed"), labels=labels)
    generation = version(1).generation

    def around(*spans: Span, held: tuple[str, ...] = ()) -> list[str]:
        return [each.text for each in memory.around(SearchScope(tenant=tenant, held=held), spans)]

    middle = Span(document_id="doc_a", generation=generation, first=1, last=3)
    start = Span(document_id="doc_a", generation=generation, first=0, last=1)
    closed = Span(document_id="doc_b", generation=generation, first=0, last=9)
    assert around() == []
    assert around(middle) == ["one", "two", "three"]
    assert around(middle, start) == ["one", "two", "three", "zero"]
    assert around(closed) == []
    assert around(closed, held=("board",)) == ["closed"]


def test_passages_that_no_vector_finds_are_found_by_their_words_and_by_what_stands_above(
    memory: Memory, tenant: Tenant, version: Version
) -> None:
    memory.index(version(1), "Plain", passages("honey is sweet", "wax is soft", vector=NORTH))
    below = Passage(position=0, text="sticky", above="Bees > Propolis")
    memory.index(version(1, name="b.txt"), "Bees", [(below, NORTH)])
    memory.index(version(1, name="c.txt"), "Plain", passages(*["unrelated"] * 80, vector=EAST))

    by_text = memory.search(SearchScope(tenant=tenant), "wax", EAST, limit=35, mix=DEFAULT_MIX)
    by_heading = memory.search(SearchScope(tenant=tenant), "propolis", EAST, limit=35, mix=DEFAULT_MIX)

    assert "wax is soft" in [each.text for each in by_text]
    assert "sticky" in [each.text for each in by_heading]


def test_a_passage_that_both_searches_find_comes_before_one_that_only_one_finds(
    memory: Memory, tenant: Tenant, version: Version
) -> None:
    memory.index(version(1), "Title", passages("bees", vector=EAST))
    memory.index(version(1, name="b.txt"), "Title", passages("bees", vector=NORTH))
    memory.index(version(1, name="c.txt"), "Title", passages("wasps", vector=direction(1)))

    found = memory.search(SearchScope(tenant=tenant), "bees", NORTH, limit=3, mix=DEFAULT_MIX)

    assert found[0].document_id == "doc_b"
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_a_retry_doubles_no_passage(memory: Memory, tenant: Tenant, version: Version) -> None:
    for _ in range(2):
        assert memory.index(version(1), "Title", passages("one", "two")) == 2

    found = memory.search(SearchScope(tenant=tenant), "one two", NORTH, limit=9, mix=DEFAULT_MIX)

    assert sorted(each.text for each in found) == ["one", "two"]
    assert memory.count(version(1)) == 2


@pytest.mark.guarantee_e
def test_a_tenant_finds_counts_and_removes_only_its_own(
    memory: Memory, tenant: Tenant, other_tenant: Tenant, version: Version
) -> None:
    foreign = version(1, tenant=other_tenant)
    memory.index(foreign, "canary", passages("canary", "canary"))
    memory.index(version(1), "Title", passages("own"))

    assert [
        each.text for each in memory.search(SearchScope(tenant=tenant), "canary", NORTH, limit=9, mix=DEFAULT_MIX)
    ] == ["own"]
    assert (memory.count(version(1)), memory.count(foreign)) == (1, 2)
    assert memory.remove_through(version(9)) == 1
    assert memory.count(foreign) == 2


@pytest.mark.guarantee_e
def test_a_tenant_gets_its_full_share_of_hits_among_many_nearer_foreign_ones(
    memory: Memory, tenant: Tenant, other_tenant: Tenant, version: Version
) -> None:
    memory.index(version(1, tenant=other_tenant), "Title", passages(*["near"] * 60, vector=NORTH))
    memory.index(version(1), "Title", passages(*["far"] * 5, vector=EAST))

    found = memory.search(SearchScope(tenant=tenant), "unrelated", NORTH, limit=5, mix=DEFAULT_MIX)

    assert [each.text for each in found] == ["far"] * 5


@pytest.mark.guarantee_e
def test_a_labelled_passage_is_found_only_by_those_who_hold_one_of_its_labels(
    memory: Memory, tenant: Tenant, version: Version
) -> None:
    memory.index(version(1), "Pay", passages("pay scales"), labels=Labels(access=("payroll", "board")))
    memory.index(version(1, name="b.txt"), "Open", passages("pay day"))

    def found(*held: str) -> set[str]:
        scope = SearchScope(tenant=tenant, held=held)
        return {each.document_id for each in memory.search(scope, "pay", NORTH, limit=9, mix=DEFAULT_MIX)}

    assert found() == found("sales") == {"doc_b"}
    assert found("sales", "board") == found("payroll") == {"doc_a", "doc_b"}


def test_a_filter_finds_what_carries_one_value_of_each_of_its_names(
    memory: Memory, tenant: Tenant, version: Version
) -> None:
    for name, metadata in {
        "a.txt": ("product=plinth", "year=2025"),
        "b.txt": ("product=plinth", "year=2026"),
        "c.txt": ("product=other", "year=2026"),
        "d.txt": (),
    }.items():
        memory.index(version(1, name=name), "Title", passages("text"), labels=Labels(metadata=metadata))

    def found(*groups: tuple[str, ...]) -> list[str]:
        scope = SearchScope(tenant=tenant, metadata=groups)
        return sorted(each.document_id for each in memory.search(scope, "text", NORTH, limit=9, mix=DEFAULT_MIX))

    assert found() == ["doc_a", "doc_b", "doc_c", "doc_d"]
    assert found(("product=plinth",)) == ["doc_a", "doc_b"]
    assert found(("product=plinth",), ("year=2026",)) == ["doc_b"]
    assert found(("year=2025", "year=2026")) == ["doc_a", "doc_b", "doc_c"]
    assert found(("product=none",)) == []


@pytest.mark.guarantee_d
def test_removal_is_bounded_by_the_sequence_and_the_document(memory: Memory, version: Version) -> None:
    for number in (1, 2, 3):
        memory.index(version(number), "Title", passages("one", "two"))
    memory.index(version(1, name="b.txt"), "Title", passages("other"))

    assert memory.remove_this(version(2)) == 2
    assert [memory.count(version(number)) for number in (1, 2, 3)] == [2, 0, 2]
    memory.index(version(2), "Title", passages("one", "two"))
    assert memory.remove_older(version(2)) == 2
    assert [memory.count(version(number)) for number in (1, 2, 3)] == [0, 2, 2]
    assert memory.remove_through(version(2)) == 2
    assert [memory.count(version(number)) for number in (1, 2, 3)] == [0, 0, 2]
    assert memory.count(version(1, name="b.txt")) == 1


def test_a_document_of_several_bulks_is_stored_and_removed_whole(memory: Memory, version: Version) -> None:
    memory.index(version(1), "Title", passages(*(f"text {number}" for number in range(450))))

    assert memory.count(version(1)) == 450
    assert memory.remove_through(version(1)) == 450
    assert memory.count(version(1)) == 0


class WideOpen(OpenSearch):
    """An engine that forgets the tenant: every search is answered with all that is stored."""

    def msearch(self, *, body: object, index: object = None, params: object = None, headers: object = None) -> object:
        everything = self.search(index=self.opened, body={"query": {"match_all": {}}})
        return {"responses": [everything, everything]}

    opened = ""


@pytest.mark.guarantee_e
def test_a_foreign_hit_is_dropped_though_the_engine_offers_it(
    search_url: str, tenant: Tenant, other_tenant: Tenant, version: Version, search_requests: set[str]
) -> None:
    engine = connect(search_url, auth="none")
    index = f"passages-{uuid4().hex}"
    honest = OpenSearchMemory(client=engine, index=index, dimension=2)
    honest.index(version(1), "Title", passages("own"))
    honest.index(version(1, tenant=other_tenant), "Title", passages("canary"))
    honest.index(version(1, name="b.txt"), "Title", passages("labelled canary"), labels=Labels(access=("board",)))
    unlabelled = passage_source(version(1, name="c.txt"), "Title", Passage(position=0, text="bare canary"), NO_LABELS)
    engine.index(index=index, body={**unlabelled, "access": [], "vector": NORTH})
    leaking = WideOpen(hosts=[search_url])
    leaking.opened = index

    found = OpenSearchMemory(client=leaking, index=index, dimension=2).search(
        SearchScope(tenant=tenant), "canary", NORTH, limit=9, mix=DEFAULT_MIX
    )

    assert [each.text for each in found] == ["own"]
    search_requests.clear()


def test_an_engine_that_is_away_is_transient(tenant: Tenant, version: Version) -> None:
    away = OpenSearchMemory(client=connect(f"http://127.0.0.1:{free_port()}", auth="none"), dimension=2)

    with pytest.raises(MemoryUnavailableError):
        away.search(SearchScope(tenant=tenant), "anything", NORTH, limit=5, mix=DEFAULT_MIX)
    with pytest.raises(MemoryUnavailableError):
        away.index(version(1), "Title", passages("one"))


def test_a_vector_of_another_size_is_a_permanent_error(engine: OpenSearch, tenant: Tenant, version: Version) -> None:
    memory = OpenSearchMemory(client=engine, index=f"passages-{uuid4().hex}", dimension=2)
    memory.index(version(1), "Title", passages("one"))

    for call in (
        lambda: memory.index(version(2), "Title", passages("one", vector=(1.0, 0.0, 0.0))),
        lambda: memory.search(SearchScope(tenant=tenant), "one", (1.0, 0.0, 0.0), limit=1, mix=DEFAULT_MIX),
    ):
        with pytest.raises(PlinthError) as raised:
            call()
        assert not isinstance(raised.value, MemoryUnavailableError)


def test_an_index_that_another_process_made_is_used(engine: OpenSearch, version: Version) -> None:
    index = f"passages-{uuid4().hex}"
    for number in (1, 2):
        memory = OpenSearchMemory(client=engine, index=index, dimension=2)
        memory.ensure_index()
        memory.index(replace(version(number)), "Title", passages("one"))

    assert (memory.count(version(1)), memory.count(version(2))) == (1, 1)


def test_a_question_of_any_length_makes_fewer_clauses_than_opensearch_refuses(tenant: Tenant) -> None:
    each_character_a_word = "蜜" * 20_000

    asked = msgspec.json.encode(by_words(SearchScope(tenant=tenant), each_character_a_word, size=1)).decode()

    assert 0 < asked.count("蜜") < 1_020


def test_one_version_is_read_by_position_with_its_vectors(
    memory: Memory, tenant: Tenant, other_tenant: Tenant, version: Version
) -> None:
    many = [(Passage(position=at, text=f"text {at}", above="Title"), direction(at / 10)) for at in range(450)]
    memory.index(version(1), "Title", many)
    memory.index(version(2), "Title", passages("newer"))
    memory.index(version(1, tenant=other_tenant), "Title", passages("foreign"))

    held = memory.read(version(1))

    assert [passage.text for passage, _ in held.passages] == [f"text {at}" for at in range(450)]
    assert held.passages[449][1] == pytest.approx(direction(44.9))
    assert memory.read(version(3)).passages == ()


def test_a_version_can_be_copied_whole_from_one_index_into_another(memory: Memory, version: Version) -> None:
    labels = Labels(metadata=("year=2026",), access=("board",))
    placed = [(Passage(position=0, text="Bees dance.", page=3, heading="Dance"), NORTH)]
    memory.index(version(1), "Bees", placed, labels=labels)
    memory.index(version(1, name="b.txt"), "Open", passages("wasps sting"))

    held = memory.read(version(1))
    assert (held.title, held.labels, held.passages[0][0]) == ("Bees", labels, placed[0][0])
    assert list(held.passages[0][1]) == list(NORTH)
    assert memory.read(version(1, name="b.txt")).labels == NO_LABELS


def test_an_index_that_is_dropped_holds_nothing_and_may_be_dropped_again(memory: Memory, version: Version) -> None:
    memory.index(version(1), "Title", passages("one"))

    for _ in range(2):
        memory.drop()

    assert memory.count(version(1)) == 0
