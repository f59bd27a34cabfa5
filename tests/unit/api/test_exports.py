"""Exports over HTTP: begun and read by who may, with links once they are done."""

from dataclasses import replace

import pytest

from plinth.contracts.exporting import ExportState
from tests.unit.access.world import ALICE, BOB, World
from tests.unit.api.client import Client

SCOPES = ("export", "erase", "runs:read")


@pytest.fixture
def exporter(world: World) -> Client:
    return Client(world, world.issue(scopes=SCOPES))


@pytest.fixture
def operator(world: World) -> Client:
    return Client(world, world.issue(BOB, scopes=("export", "admin")))


def done(world: World, export_id: str) -> None:
    """End an export with two files."""
    export = world.export_jobs.rows[export_id]
    for path in ("manifest.json", "runs/000000.jsonl"):
        world.export_files.put(export, path, b"{}")
    world.export_jobs.rows[export_id] = replace(export, state=ExportState.DONE, files=2)


def test_an_export_is_begun_read_and_its_files_are_linked_when_it_is_done(world: World, exporter: Client) -> None:
    begun = exporter.call("POST", "/v1/exports", {"user": "ada"})
    one = f"/v1/exports/{begun.json['id']}"

    assert (begun.status, begun.json["state"], begun.json["user"]) == (202, "running", "ada")
    assert begun.headers["location"] == one
    assert [each.tenant for each in world.machines.exports.values()] == [ALICE]
    early = exporter.call("GET", f"{one}/files")
    assert (early.status, early.json["detail"]) == (400, "export: is running: its files can be read when it is done")

    done(world, begun.json["id"])
    first = exporter.call("GET", f"{one}/files?limit=1").json
    second = exporter.call("GET", f"{one}/files?after={first['next']}").json
    assert exporter.call("GET", one).json["files"] == 2
    assert [each["path"] for each in (*first["files"], *second["files"])] == ["manifest.json", "runs/000000.jsonl"]
    assert second["next"] is None
    assert first["files"][0]["url"].startswith("https://")


@pytest.mark.guarantee_e
def test_an_export_of_another_tenant_is_as_absent_as_an_unknown_one(
    world: World, exporter: Client, operator: Client
) -> None:
    own = exporter.call("POST", "/v1/exports", {}).json["id"]
    foreign = Client(world, world.issue(BOB, scopes=SCOPES))

    for export in (own, "exp_" + "0" * 32, "exp_x"):
        for path in (f"/v1/exports/{export}", f"/v1/exports/{export}/files"):
            answer = foreign.call("GET", path)
            assert (answer.status, answer.json["detail"]) == (404, f"no export {export}")
    assert operator.call("GET", f"/v1/exports/{own}").status == 404
    assert operator.call("GET", f"/v1/exports/{own}?tenant={ALICE.id}").status == 200


@pytest.mark.guarantee_e
def test_only_who_holds_the_scope_exports_and_only_an_operator_another_tenant(
    world: World, client: Client, exporter: Client, operator: Client
) -> None:
    assert client.call("POST", "/v1/exports", {}).code == "missing_scope"
    assert exporter.call("POST", "/v1/exports", {"tenant": BOB.id}).code == "missing_scope"
    assert exporter.call("GET", f"/v1/exports/exp_{'0' * 32}?tenant={BOB.id}").code == "missing_scope"
    assert world.machines.exports == {}
    assert operator.call("POST", "/v1/exports", {"tenant": ALICE.id}).json["tenant"] == ALICE.id
    for name in ("nobody", "Not-A-Tenant"):
        assert operator.call("POST", "/v1/exports", {"tenant": name}).code == "not_found"


@pytest.mark.guarantee_d
def test_no_link_is_given_while_a_user_is_being_erased(world: World, exporter: Client) -> None:
    export = exporter.call("POST", "/v1/exports", {}).json["id"]
    done(world, export)
    exporter.call("DELETE", "/v1/users/ada")

    refused = exporter.call("GET", f"/v1/exports/{export}/files")
    assert (refused.status, refused.code) == (409, "erasure_under_way")
    assert exporter.call("POST", "/v1/exports", {}).code == "erasure_under_way"


def test_what_an_export_does_not_know_is_refused_by_name(exporter: Client) -> None:
    assert exporter.call("POST", "/v1/exports", {"users": "ada"}).status == 400
    assert exporter.call("GET", "/v1/exports/exp_x?of=bob").status == 400
