"""Imports over HTTP: announced, uploaded, started, followed."""

import hashlib
from dataclasses import replace

import pytest

from plinth.contracts.importing import Batch, ImportFailure, ImportState
from plinth.contracts.memory import Content, DocumentVersion, SourceFacts
from plinth.errors import StoreUnavailableError
from plinth.memory.naming import document_id, sequence
from tests.unit.access.world import ALICE, BOB, World
from tests.unit.api.client import Answer, Client


def file(name: str = "a.txt", **other: object) -> dict[str, object]:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return {"name": name, "sha256": digest, "size_bytes": 5, "content_type": "text/plain", **other}


def announce(client: Client, *files: dict[str, object], **fields: object) -> Answer:
    return client.call("POST", "/v1/imports", {"files": list(files or (file(),)), **fields})


def make_ready(world: World, name: str) -> None:
    version = DocumentVersion(
        tenant=ALICE,
        document_id=document_id(ALICE, name),
        name=name,
        object_key=f"alice/{name}",
        version_id=None,
        sequence=sequence("1"),
        size_bytes=5,
    )
    version = replace(version, attempt=world.documents.begin(version, execution="one") or 0)
    digest = hashlib.sha256(name.encode()).hexdigest()
    world.documents.publish(version, Content(title="T", passages=1, source=SourceFacts(content_sha256=digest)))


def test_what_is_searchable_as_it_is_is_left_out_and_the_rest_is_to_be_uploaded_once(
    world: World, client: Client
) -> None:
    make_ready(world, "old.txt")

    answer = announce(client, file("old.txt"), file("new.txt"), file("twin.txt", sha256="0" * 64))
    name = answer.json["import_id"]

    assert answer.status == 201
    assert answer.headers["location"] == f"/v1/imports/{name}"
    assert (answer.json["state"], answer.json["files"], answer.json["unchanged"]) == ("uploading", 3, 1)
    missing = client.call("GET", f"/v1/imports/{name}/uploads").json["files"]
    assert {each["sha256"] for each in missing} == {hashlib.sha256(b"new.txt").hexdigest(), "0" * 64}
    world.staged_files.staged |= {(ALICE, each["sha256"]) for each in missing}
    assert client.call("GET", f"/v1/imports/{name}/uploads").json == {"files": []}


def test_the_same_files_are_the_same_import_whatever_their_order(client: Client) -> None:
    one, other = announce(client, file("a"), file("b")), announce(client, file("b"), file("a"))

    assert one.json["import_id"] == other.json["import_id"]
    assert announce(client, file("a"), file("b"), metadata={"k": "v"}).json["import_id"] != one.json["import_id"]


def test_a_start_begins_once_and_again_only_after_the_end(world: World, client: Client) -> None:
    name = announce(client, tolerated_failure_percentage=5).json["import_id"]

    first, second = (client.call("POST", f"/v1/imports/{name}/start") for _ in range(2))
    batch = Batch(tenant=ALICE, import_id=name, attempt=1)

    assert (first.status, second.status, second.json["state"]) == (202, 202, "running")
    assert world.machines.imports == {(name, 1): (batch, f"alice/imports/{name}.json", 5)}
    assert announce(client).json["state"] == "running"
    world.imports.note(batch, "doc_a", ImportFailure(name="a.txt", reason="empty", message="no text"))
    world.imports.close(batch, ImportState.DONE)
    ended = client.call("GET", f"/v1/imports/{name}").json
    assert (ended["state"], ended["failed"], ended["failures"][0]["reason"]) == ("done", 1, "empty")
    assert client.call("POST", f"/v1/imports/{name}/start").json["attempt"] == 2


def test_a_start_whose_machine_could_not_be_started_starts_it_when_asked_again(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = announce(client).json["import_id"]

    def throttled(*_: object, **__: object) -> None:
        raise StoreUnavailableError("Step Functions")

    with monkeypatch.context() as patch:
        patch.setattr(world.machines, "start_import", throttled)
        assert client.call("POST", f"/v1/imports/{name}/start").status == 503
    assert world.machines.imports == {}

    assert client.call("POST", f"/v1/imports/{name}/start").status == 202
    assert list(world.machines.imports) == [(name, 1)]


@pytest.mark.parametrize(
    ("files", "field"),
    [
        ([], "files"),
        ([file(sha256="xyz")], "files.0.sha256"),
        ([file(), file("../b")], "files.1.name"),
        ([file(), file()], "files.1.name"),
        ([file(size_bytes=0)], "files.0.size_bytes"),
        ([file(size_bytes=53_000_000)], "files.0.size_bytes"),
        ([file(colour="red")], "files.0.colour"),
    ],
)
def test_a_file_that_can_not_be_a_document_is_named(client: Client, files: list[object], field: str) -> None:
    answer = client.call("POST", "/v1/imports", {"files": files})

    assert (answer.status, answer.json["field"]) == (400, field)


@pytest.mark.guarantee_e
def test_an_import_of_another_tenant_is_as_absent_as_an_unknown_one(world: World, client: Client) -> None:
    name, other = announce(client).json["import_id"], Client(world, world.issue(BOB))

    for method, path in (("GET", ""), ("GET", "/uploads"), ("POST", "/start")):
        theirs = other.call(method, f"/v1/imports/{name}{path}")
        unknown = client.call(method, f"/v1/imports/imp_0{path}")
        assert (theirs.status, theirs.code) == (unknown.status, unknown.code) == (404, "not_found")


CONTEXTS = {"context_model": "claude-haiku-5-5"}


def test_contexts_are_priced_before_anything_is_uploaded_and_unchanged_documents_cost_nothing(
    world: World, client: Client
) -> None:
    one = announce(client, file("a", size_bytes=4_000), **CONTEXTS).json["contexts"]
    two = announce(client, file("a", size_bytes=4_000), file("b", size_bytes=8_000), **CONTEXTS).json["contexts"]

    assert one["model"] == "claude-haiku-5-5"
    assert 0 < one["expected_micro_usd"] < one["most_micro_usd"] < two["most_micro_usd"]
    assert announce(client, file("a")).json["contexts"] is None


def test_contexts_that_may_cost_more_than_allowed_refuse_the_import_and_say_how_much(client: Client) -> None:
    answer = announce(client, file("a"), **CONTEXTS, max_context_cost_micro_usd=1)

    assert (answer.status, answer.json["field"]) == (400, "max_context_cost_micro_usd")
    assert "raise it, send less, or leave context_model out" in answer.json["detail"]


def test_each_file_may_cost_what_was_told_or_its_share_of_what_is_allowed(world: World, client: Client) -> None:
    told = announce(client, file("a"), **CONTEXTS).json["contexts"]["most_micro_usd"]

    caps = []
    for allowed in (None, 10 * told):
        body = CONTEXTS if allowed is None else {**CONTEXTS, "max_context_cost_micro_usd": allowed}
        name = announce(client, file("a"), file("b"), **body).json["import_id"]
        caps.append({each.metadata["context-most-micro-usd"] for each in world.staged_files.manifest(ALICE, name)})

    assert caps == [{str(told)}, {str(5 * told)}]


def test_a_document_that_lacks_contexts_that_are_asked_for_is_not_unchanged(world: World, client: Client) -> None:
    make_ready(world, "a.txt")

    assert announce(client, file("a.txt")).json["unchanged"] == 1
    assert announce(client, file("a.txt"), **CONTEXTS).json["unchanged"] == 0
