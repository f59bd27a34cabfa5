"""Documents: announced with a bounded upload, listed by page, hidden at once when erased."""

from dataclasses import replace

import pytest

from plinth.contracts.memory import Content, DocumentVersion, Labels, SourceFacts
from plinth.contracts.runs import Failure
from plinth.contracts.tenant import Tenant
from plinth.memory.naming import document_id
from tests.unit.access.world import ALICE, BOB, World
from tests.unit.api.client import Answer, Client


def announce(client: Client, name: object = "guide.md", **fields: object) -> Answer:
    body = {"name": name, "content_type": "text/markdown", "size_bytes": 12, **fields}
    return client.call("POST", "/v1/documents", body)


def test_an_announced_document_has_one_bounded_upload(client: Client) -> None:
    answer = announce(client)

    assert answer.status == 201
    assert answer.headers["location"] == f"/v1/documents/{document_id(ALICE, 'guide.md')}"
    assert answer.json["document"]["state"] == "awaiting_upload"
    assert answer.json["upload"] == {
        "url": "https://uploads.invalid/alice/guide.md?type=text/markdown&size=12",
        "method": "PUT",
        "headers": {"content-type": "text/markdown"},
        "expires_in_seconds": 300,
    }


@pytest.mark.parametrize("name", ["a", "café/menü.md", "文档/说明.txt", "x" * 512, "a b/c..d/.hidden", "🙂.md"])
def test_a_name_keeps_its_unicode_and_slashes(client: Client, name: str) -> None:
    answer = announce(client, name)

    assert (answer.status, answer.json["document"]["name"]) == (201, name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 513,
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/../b",
        "./a",
        "a\nb",
        "a\x00b",
        "a\x7fb",
        "a\x85b",
        "\ud800",
        "🙂" * 300,
        7,
    ],
)
def test_a_name_that_could_lead_elsewhere_is_refused(world: World, client: Client, name: object) -> None:
    answer = announce(client, name)

    assert answer.status == 400
    assert answer.json.get("field", "name") == "name"
    assert world.documents.list(ALICE, limit=10, after=None) == []


@pytest.mark.parametrize("size", [50 * 1024 * 1024 + 1, 300_000_000, 10**400])
@pytest.mark.parametrize("contexts", [{}, {"context_model": "claude-haiku-5-5"}])
def test_a_document_over_50_mb_is_refused_with_the_limit(
    world: World, client: Client, size: int, contexts: dict[str, object]
) -> None:
    answer = announce(client, size_bytes=size, **contexts)

    assert (answer.status, answer.code) == (413, "too_large")
    assert "52428800" in answer.json["detail"]
    assert world.documents.list(ALICE, limit=10, after=None) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size_bytes", 0),
        ("size_bytes", -1),
        ("size_bytes", "12"),
        ("size_bytes", 1.5),
        ("content_type", ""),
        ("content_type", "markdown"),
        ("content_type", "text/html\r\nx: y"),
        ("surplus", 1),
    ],
)
def test_a_bad_field_of_a_document_is_named(client: Client, field: str, value: object) -> None:
    answer = announce(client, **{field: value})

    assert (answer.status, answer.json["field"]) == (400, field)


def test_documents_are_listed_by_page_without_gap_or_repeat(client: Client) -> None:
    for number in range(5):
        announce(client, f"{number}.md")

    pages, after = [], ""
    while True:
        page = client.call("GET", f"/v1/documents?limit=2{after}").json
        pages.append([document["document_id"] for document in page["documents"]])
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    listed = [each for page in pages for each in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert listed == sorted(document_id(ALICE, f"{number}.md") for number in range(5))


@pytest.mark.parametrize(
    ("query", "field"), [("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("after=x", "after")]
)
def test_a_bad_page_is_named(client: Client, query: str, field: str) -> None:
    answer = client.call("GET", f"/v1/documents?{query}")

    assert (answer.status, answer.json["field"]) == (400, field)


def test_an_erased_document_is_hidden_and_its_object_deleted(world: World, client: Client) -> None:
    one = announce(client, "café/menü.md").json["document"]["document_id"]

    answer = client.call("DELETE", f"/v1/documents/{one}")

    assert (answer.status, answer.json["state"], answer.json["document"]["state"]) == (202, "deleting", "deleting")
    assert world.sources.deleted == ["alice/café/menü.md"]
    assert client.call("GET", f"/v1/documents/{one}").status == 404  # nothing was uploaded, so nothing is left to erase


@pytest.mark.guarantee_e
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_foreign_document_is_as_absent_as_one_that_never_was(world: World, client: Client, method: str) -> None:
    foreign = announce(Client(world, world.issue(BOB))).json["document"]["document_id"]
    absent = "doc_" + "f" * 24

    answers = [client.call(method, f"/v1/documents/{each}") for each in (foreign, absent, "doc_x")]

    assert {answer.status for answer in answers} == {404}
    assert answers[0].text.replace(foreign, "") == answers[1].text.replace(absent, "")
    assert world.sources.deleted == []
    assert client.call("GET", "/v1/documents").json == {"documents": [], "next": None}


def refused(world: World, tenant: Tenant = ALICE) -> DocumentVersion:
    """Have a document of the tenant refused."""
    version = DocumentVersion(
        tenant=tenant,
        document_id=document_id(tenant, "a.pdf"),
        name="a.pdf",
        object_key=f"{tenant.id}/a.pdf",
        version_id="v1",
        sequence="01",
        size_bytes=9,
    )
    attempt = world.documents.begin(version, execution="first")
    world.documents.refuse(version, Failure(reason="encrypted", message="Unlock it."), execution="first")
    return replace(version, attempt=attempt or 0)


@pytest.mark.guarantee_d
def test_a_refused_document_is_tried_again_once_however_often_that_is_asked(world: World, client: Client) -> None:
    version = refused(world)

    answers = [client.call("POST", f"/v1/documents/{version.document_id}/redrive") for _ in range(2)]

    assert [(answer.status, answer.json["reason"]) for answer in answers] == [(202, "encrypted")] * 2
    assert list(world.machines.ingests.values()) == [version]


def test_a_document_that_was_not_refused_has_nothing_to_redrive(world: World, client: Client) -> None:
    one = announce(client).json["document"]["document_id"]

    answer = client.call("POST", f"/v1/documents/{one}/redrive")

    assert (answer.status, answer.code) == (409, "nothing_to_redrive")
    assert "awaiting_upload" in answer.json["detail"]
    assert world.machines.ingests == {}


@pytest.mark.guarantee_e
def test_a_foreign_document_is_not_redriven(world: World, client: Client) -> None:
    foreign = refused(world, BOB)

    answer = client.call("POST", f"/v1/documents/{foreign.document_id}/redrive")

    assert (answer.status, answer.code) == (404, "not_found")
    assert world.machines.ingests == {}


def test_metadata_travels_with_the_upload(client: Client) -> None:
    answer = announce(client, metadata={"team": "docs"})

    assert answer.json["upload"]["headers"]["x-amz-meta-team"] == "docs"


def test_metadata_that_can_not_be_a_mark_is_refused_by_name(world: World, client: Client) -> None:
    answer = announce(client, metadata={"team": ""})

    assert (answer.status, answer.json["field"]) == (400, "metadata.team")
    assert world.documents.list(ALICE, limit=10, after=None) == []


def labelled(world: World, name: str, *access: str) -> str:
    """Publish a document under access labels; return its id."""
    one = document_id(ALICE, name)
    version = DocumentVersion(
        tenant=ALICE,
        document_id=one,
        name=name,
        object_key=f"alice/{name}",
        version_id=None,
        sequence="1".rjust(32, "0"),
        size_bytes=1,
        attempt=1,
    )
    world.documents.begin(version, execution="one")
    facts = SourceFacts(labels=Labels(access=access))
    world.documents.publish(version, Content(title=f"All about {name}", passages=1, source=facts))
    return one


def test_a_document_whose_labels_a_caller_lacks_is_as_absent_as_an_unknown_one(world: World, client: Client) -> None:
    secret, other = labelled(world, "payroll.md", "team:payroll"), labelled(world, "menu.md")
    holder = Client(world, world.issue(labels=("team:payroll",)))

    assert [each["name"] for each in client.call("GET", "/v1/documents").json["documents"]] == ["menu.md"]
    assert len(holder.call("GET", "/v1/documents").json["documents"]) == 2
    for method, path in (("GET", ""), ("POST", "/redrive"), ("DELETE", "")):
        hidden = client.call(method, f"/v1/documents/{secret}{path}")
        assert (hidden.status, hidden.json["detail"]) == (404, f"no document {secret}")
    assert holder.call("GET", f"/v1/documents/{secret}").json["title"] == "All about payroll.md"
    assert client.call("GET", f"/v1/documents/{other}").status == 200
    replacing = announce(client, "payroll.md").json["document"]
    assert (replacing["state"], replacing["title"]) == ("awaiting_upload", None)
    assert holder.call("DELETE", f"/v1/documents/{secret}").status == 202


def test_a_document_is_hidden_from_its_announcement_on(world: World, client: Client) -> None:
    announce(client, "payroll.md", metadata={"access": "team:payroll"})
    holder = Client(world, world.issue(labels=("team:payroll",)))

    assert client.call("GET", "/v1/documents").json["documents"] == []
    assert [each["name"] for each in holder.call("GET", "/v1/documents").json["documents"]] == ["payroll.md"]


def test_pages_are_full_however_many_documents_between_are_hidden(world: World, client: Client) -> None:
    names = {labelled(world, f"{n}.md", *(["team:payroll"] if n % 3 else [])): n for n in range(30)}
    seen, after = [], ""
    while True:
        page = client.call("GET", f"/v1/documents?limit=4{after}").json
        seen += [names[each["document_id"]] for each in page["documents"]]
        if page["next"] is None:
            break
        assert len(page["documents"]) == 4
        after = f"&after={page['next']}"

    assert sorted(seen) == list(range(0, 30, 3))


def test_contexts_are_ordered_with_the_upload_and_their_price_is_told(client: Client) -> None:
    answer = announce(client, context_model="claude-haiku-5-5", metadata={"team": "docs"})

    headers, told = answer.json["upload"]["headers"], answer.json["contexts"]
    assert headers["x-amz-meta-context-model"] == "claude-haiku-5-5"
    assert headers["x-amz-meta-context-most-micro-usd"] == str(told["most_micro_usd"])
    assert headers["x-amz-meta-context-key"]
    assert answer.json["document"]["labels"]["metadata"] == ["team=docs"]
    assert announce(client).json["contexts"] is None


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"context_model": "gpt-0"}, "context_model", "use one of"),
        ({"context_model": "fast"}, "context_model", "use one of"),
        ({"max_context_cost_micro_usd": 5}, "max_context_cost_micro_usd", "say context_model too"),
        (
            {"context_model": "claude-haiku-5-5", "max_context_cost_micro_usd": 0},
            "max_context_cost_micro_usd",
            "raise it",
        ),
        ({"metadata": {"context-model": "claude-haiku-5-5"}}, "metadata.context-model", "is reserved"),
        ({"metadata": {"sync": "acme-0123456789ab"}}, "metadata.sync", "is reserved"),
        ({"metadata": {"context-key": "k"}}, "metadata.context-key", "is reserved"),
    ],
)
def test_contexts_that_can_not_be_ordered_are_refused_by_name_with_what_to_do(
    world: World, client: Client, fields: dict[str, object], field: str, told: str
) -> None:
    answer = announce(client, "other.md", **fields)

    assert (answer.status, answer.json["field"]) == (400, field)
    assert told in answer.json["detail"]
    assert not list(world.documents.known(ALICE))
