"""Syncs over HTTP: added, listed, made to pass and removed by operators, and by nobody else."""

import pytest

from plinth.contracts.importing import ImportFailure, ImportRecord, ImportState
from plinth.contracts.syncs import LastPass, Permission
from plinth.memory.prefix_sync import import_of
from tests.unit.access.world import ALICE, BOB, World
from tests.unit.api.client import Answer, Client


@pytest.fixture
def operator(world: World, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("PLINTH_SYNC_BUCKETS", "team other documents")
    world.issue(ALICE)
    return Client(world, world.issue(BOB, scopes=("admin", "erase")))


def add(client: Client, **fields: object) -> Answer:
    return client.call("POST", "/v1/syncs", {"tenant": ALICE.id, "bucket": "team", "prefix": "docs/", **fields})


def test_a_sync_is_added_once_and_its_first_pass_begins(world: World, operator: Client) -> None:
    first = add(operator, every_seconds=7200, pattern="{department}/", metadata={"access": "staff"})
    second = add(operator)
    name = first.json["id"]

    assert (first.status, first.json["state"], first.json["tenant"]) == (201, "waiting", ALICE.id)
    assert first.headers["location"] == f"/v1/syncs/{name}"
    assert second.json["id"] == name
    assert world.passes.begun == [(name, None), (name, None)]
    (listed,) = operator.call("GET", f"/v1/syncs?tenant={ALICE.id}").json["syncs"]
    assert (listed["every_seconds"], listed["pattern"], listed["last"]) == (3600, "", None)
    assert operator.call("GET", f"/v1/syncs/{name}").json == listed


@pytest.mark.parametrize(
    ("fields", "field", "remedy"),
    [
        ({"bucket": "foreign"}, "bucket", "cdk.json"),
        ({"bucket": "documents"}, "bucket", "another"),
        ({"prefix": "docs"}, "prefix", "slash"),
        ({"prefix": "/docs/"}, "prefix", "slash"),
        ({"pattern": "{a}/{a}"}, "pattern", "each name once"),
        ({"pattern": "a/{b}"}, "pattern", "folders such as"),
        ({"pattern": "{tenant}/"}, "pattern", "reserved"),
        ({"pattern": "{context-model}/"}, "pattern", "reserved"),
        ({"pattern": "{a}/", "metadata": {f"n{each}": "x" for each in range(15)}}, "metadata", "send fewer"),
        ({"metadata": {"sync": "x"}}, "metadata", "reserved"),
        ({"metadata": {"access": "no label!"}}, "metadata.access", "labels"),
        ({"every_seconds": 1}, "every_seconds", "300"),
        ({"oftener": True}, "oftener", ""),
    ],
)
def test_what_can_not_be_synced_names_the_field_and_the_remedy(
    operator: Client, fields: dict[str, object], field: str, remedy: str
) -> None:
    answer = add(operator, **fields)

    assert answer.status == 400, answer.text
    assert field in answer.text
    assert remedy in answer.text


def test_a_sync_within_another_is_refused_and_one_beside_it_is_not(operator: Client) -> None:
    add(operator)

    assert "overlaps" in add(operator, prefix="docs/deep/").text
    assert "overlaps" in add(operator, prefix="").text
    assert add(operator, prefix="more/").status == 201
    assert add(operator, bucket="other").status == 201
    assert add(operator, tenant=BOB.id).status == 201


def test_a_sync_of_an_unknown_tenant_or_name_is_absent(operator: Client) -> None:
    assert add(operator, tenant="nobody").status == 404
    for path in ("/v1/syncs/nonsense", f"/v1/syncs/{ALICE.id}-0123456789ab"):
        assert operator.call("GET", path).status == 404
        assert operator.call("DELETE", f"{path}?documents=keep").status == 404
        assert operator.call("POST", f"{path}/now", {}).status == 404


def test_a_sync_tells_its_last_pass_and_everything_that_was_refused(world: World, operator: Client) -> None:
    name = add(operator).json["id"]
    sync = world.syncs.get(ALICE, name)
    one, two = (ImportFailure(name=each, reason="r", message="m") for each in ("by path", "by tags"))
    world.syncs.note(sync, LastPass(at=5.0, seen=3, added=2, held_back=1, refused=(one,)), due_at=9.0)
    record = ImportRecord(import_id=import_of(name), state=ImportState.UPLOADING, files=2, unchanged=0, created_at=0.0)
    world.imports.prepare(ALICE, record)
    batch = world.imports.begin(ALICE, record.import_id)
    assert batch
    world.imports.note(batch, "doc_a", None)
    world.imports.note(batch, "doc_b", two)

    told = operator.call("GET", f"/v1/syncs/{name}").json
    busy = operator.call("POST", f"/v1/syncs/{name}/now", {})
    world.imports.close(batch, ImportState.DONE)

    assert (told["state"], told["next_at"], told["last"]["held_back"]) == ("running", 9.0, 1)
    assert (told["last"]["ready"], told["last"]["failed"]) == (1, 1)
    assert [each["name"] for each in told["last"]["refused"]] == ["by path", "by tags"]
    assert (busy.status, busy.code) == (409, "sync_running")
    assert operator.call("POST", f"/v1/syncs/{name}/now", {"allow_deletes": True}).status == 202
    assert world.passes.begun[-1] == (name, Permission(asked_at=world.clock.now(), deletions=1))


def test_a_sync_is_removed_only_by_who_says_what_becomes_of_its_documents(world: World, operator: Client) -> None:
    name = add(operator).json["id"]

    assert operator.call("DELETE", f"/v1/syncs/{name}").status == 400
    removed = operator.call("DELETE", f"/v1/syncs/{name}?documents=erase")

    assert (removed.status, removed.json["state"]) == (202, "removing")
    assert world.syncs.get(ALICE, name).removal == "erase"
    assert world.passes.begun[-1] == (name, None)


@pytest.mark.guarantee_e
def test_only_an_operator_sees_or_changes_syncs(client: Client, operator: Client) -> None:
    name = add(operator).json["id"]

    for method, path, body in (
        ("GET", f"/v1/syncs?tenant={ALICE.id}", None),
        ("GET", f"/v1/syncs/{name}", None),
        ("POST", "/v1/syncs", {"tenant": ALICE.id, "bucket": "team"}),
        ("POST", f"/v1/syncs/{name}/now", {}),
        ("DELETE", f"/v1/syncs/{name}?documents=erase", None),
    ):
        assert client.call(method, path, body).code == "missing_scope"


@pytest.mark.guarantee_d
def test_the_erasure_of_a_tenant_ends_its_syncs_first(world: World, operator: Client) -> None:
    name = add(operator).json["id"]

    operator.call("DELETE", f"/v1/tenants/{ALICE.id}")

    assert world.syncs.of(ALICE) == []
    assert operator.call("GET", f"/v1/syncs/{name}").status == 404
    assert add(operator).status == 404
