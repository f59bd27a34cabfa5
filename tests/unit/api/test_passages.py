"""Opening a citation: the passage in its place, for its own tenant and labels alone."""

import pytest

from plinth.contracts.memory import Content, DocumentVersion, Labels, Passage
from plinth.contracts.tenant import Tenant
from plinth.memory.naming import document_id
from tests.fakes.memory import FakeMemory
from tests.unit.access.world import ALICE, BOB, World
from tests.unit.api.client import Client

TEXTS = ("zero", "one", "two", "three")


def remember(world: World, tenant: Tenant = ALICE, *, sequence: str = "1", labels: Labels | None = None) -> str:
    """Publish a document of four passages; return its id."""
    document = DocumentVersion(
        tenant=tenant,
        document_id=document_id(tenant, "guide.md"),
        name="guide.md",
        object_key=f"{tenant.id}/guide.md",
        version_id=None,
        sequence=sequence,
        size_bytes=1,
        attempt=1,
    )
    pairs = [
        (
            Passage(
                position=at,
                text=text,
                page=at + 1,
                heading="H",
                above="Guide > H",
                start=10 * at,
                end=10 * at + len(text),
            ),
            [1.0],
        )
        for at, text in enumerate(TEXTS)
    ]
    world.documents.begin(document, execution=sequence)
    world.services.memory.index(document, "Guide", pairs, labels=labels or Labels())
    world.documents.publish(document, Content(title="Guide", passages=len(TEXTS)))
    return document.document_id


@pytest.fixture(autouse=True)
def memory(world: World) -> None:
    world.services.memory = FakeMemory()


def test_a_passage_comes_with_its_neighbours_and_its_place(world: World, client: Client) -> None:
    document = remember(world)

    opened = client.call("GET", f"/v1/documents/{document}/passages/2").json

    assert (opened["name"], opened["title"], opened["position"]) == ("guide.md", "Guide", 2)
    assert [each["text"] for each in opened["passages"]] == ["one", "two", "three"]
    assert opened["passages"][1] == {
        "position": 2,
        "text": "two",
        "page": 3,
        "heading": "H",
        "above": "Guide > H",
        "start": 20,
        "end": 23,
    }
    alone = client.call("GET", f"/v1/documents/{document}/passages/0?around=0").json
    assert [each["text"] for each in alone["passages"]] == ["zero"]
    same = client.call("GET", f"/v1/documents/{document}/passages/0?generation={opened['generation']}")
    assert same.status == 200


@pytest.mark.guarantee_e
def test_what_may_not_be_seen_is_as_absent_as_what_is_not_there(world: World, client: Client) -> None:
    foreign, own = remember(world, BOB), remember(world, labels=Labels(access=("board",)))

    for document, position in (
        (foreign, "1"),
        (own, "1"),
        (own, "99"),
        ("doc_" + "0" * 24, "1"),
        ("doc_" + "0" * 1_100, "1"),
        (own, "-1"),
        (own, "x"),
    ):
        answer = client.call("GET", f"/v1/documents/{document}/passages/{position}")
        assert (answer.status, answer.code) == (404, "not_found")
        assert answer.json["detail"] == f"no passage {position} of {document[:40]}"
    insider = Client(world, world.issue(labels=("board",)))
    assert insider.call("GET", f"/v1/documents/{own}/passages/1").status == 200


def test_the_passage_of_a_version_that_was_replaced_is_not_found(world: World, client: Client) -> None:
    document = remember(world)
    old = client.call("GET", f"/v1/documents/{document}/passages/1").json["generation"]
    remember(world, sequence="2")

    assert client.call("GET", f"/v1/documents/{document}/passages/1?generation={old}").status == 404
    assert client.call("GET", f"/v1/documents/{document}/passages/1").status == 200


def test_more_neighbours_than_there_may_be_are_refused(world: World, client: Client) -> None:
    answer = client.call("GET", f"/v1/documents/{remember(world)}/passages/1?around=6")

    assert (answer.status, answer.json["field"]) == (400, "around")
