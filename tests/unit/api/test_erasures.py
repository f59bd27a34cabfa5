"""Erasures over HTTP: begun by who may, hiding at once, read by who may."""

from dataclasses import replace

import pytest

from plinth.contracts.erasing import Extent
from tests.unit.access.world import ALICE, BOB, World
from tests.unit.api.client import Client

OPERATOR = ("admin", "erase", "runs:read")


@pytest.fixture
def eraser(world: World) -> Client:
    return Client(world, world.issue(scopes=("erase", "runs:read")))


@pytest.fixture
def operator(world: World) -> Client:
    return Client(world, world.issue(BOB, scopes=OPERATOR))


@pytest.mark.guarantee_d
def test_a_user_who_is_being_erased_is_hidden_and_locked_out_at_once(world: World, client: Client) -> None:
    run = world.accepted_run()
    key = world.issue(scopes=("erase", "runs:read"))
    world.tenants.keys[key.id] = replace(world.tenants.keys[key.id], user="other")
    other = Client(world, key)
    assert other.call("GET", f"/v1/runs/{run.id}").status == 200

    answer = other.call("DELETE", "/v1/users/someone")

    assert (answer.status, answer.json["state"], answer.json["extent"]) == (202, "running", "user")
    assert answer.headers["location"] == f"/v1/erasures/{answer.json['id']}"
    assert [each.id for each in world.machines.forgets] == [answer.json["id"]]
    hidden = other.call("GET", f"/v1/runs/{run.id}")
    absent = other.call("GET", "/v1/runs/run_" + "0" * 25 + "9")
    assert (hidden.status, hidden.code) == (absent.status, absent.code) == (404, "not_found")
    assert client.call("GET", "/v1/models").status == 401


@pytest.mark.guarantee_d
def test_a_tenant_that_is_being_erased_is_locked_out_at_once_and_a_second_request_is_the_same_job(
    world: World, client: Client, operator: Client
) -> None:
    first = operator.call("DELETE", f"/v1/tenants/{ALICE.id}")
    second = operator.call("DELETE", f"/v1/tenants/{ALICE.id}")

    assert (first.status, second.json["id"]) == (202, first.json["id"])
    assert client.call("GET", "/v1/models").status == 401
    assert world.machines.forgets[0].target.extent is Extent.TENANT


@pytest.mark.guarantee_e
def test_only_an_operator_erases_tenants_and_only_an_eraser_users(world: World, client: Client, eraser: Client) -> None:
    assert client.call("DELETE", "/v1/users/ada").code == "missing_scope"
    assert client.call("DELETE", f"/v1/tenants/{ALICE.id}").code == "missing_scope"
    assert eraser.call("DELETE", f"/v1/tenants/{ALICE.id}").code == "missing_scope"
    assert world.machines.forgets == []


@pytest.mark.parametrize("path", ["/v1/users/someone", f"/v1/tenants/{BOB.id}"])
def test_nobody_erases_the_key_that_would_fetch_the_receipt(world: World, operator: Client, path: str) -> None:
    answer = operator.call("DELETE", path)

    assert (answer.status, answer.json["field"]) == (400, path.split("/")[2].rstrip("s"))
    assert world.machines.forgets == []
    assert operator.call("GET", "/v1/models").status == 200


@pytest.mark.parametrize("name", ["nobody", "Not-A-Tenant"])
def test_an_unknown_tenant_is_not_found(operator: Client, name: str) -> None:
    assert operator.call("DELETE", f"/v1/tenants/{name}").code == "not_found"


@pytest.mark.guarantee_e
def test_an_erasure_of_another_tenant_is_as_absent_as_an_unknown_one(
    world: World, eraser: Client, operator: Client
) -> None:
    own = eraser.call("DELETE", "/v1/users/ada").json["id"]
    foreign = Client(world, world.issue(BOB, scopes=("erase",)))

    assert eraser.call("GET", f"/v1/erasures/{own}").json["state"] == "running"
    assert operator.call("GET", f"/v1/erasures/{own}").status == 200
    for erasure in (own, "era_" + "0" * 32, "era_x"):
        answer = foreign.call("GET", f"/v1/erasures/{erasure}")
        assert (answer.status, answer.json["detail"]) == (404, f"no erasure {erasure}")


@pytest.mark.guarantee_d
def test_deleting_a_document_begins_its_erasure_everywhere(world: World, client: Client, eraser: Client) -> None:
    announced = client.call(
        "POST", "/v1/documents", {"name": "a.md", "content_type": "text/markdown", "size_bytes": 12}
    ).json["document"]["document_id"]

    answer = client.call("DELETE", f"/v1/documents/{announced}")

    (erasure,) = world.machines.forgets
    assert (erasure.id, erasure.target.extent, erasure.target.object_name) == (
        answer.json["erasure_id"],
        Extent.DOCUMENT,
        "a.md",
    )
    assert eraser.call("GET", f"/v1/erasures/{erasure.id}").json["extent"] == "document"


@pytest.mark.guarantee_e
def test_who_may_begin_an_erasure_may_follow_it_and_nobody_else(world: World, eraser: Client, operator: Client) -> None:
    writer, admin, reader = (
        Client(world, world.issue(tenant, scopes=(scope,)))
        for tenant, scope in ((ALICE, "documents:write"), (BOB, "admin"), (ALICE, "runs:read"))
    )
    announced = writer.call("POST", "/v1/documents", {"name": "a.md", "content_type": "text/markdown", "size_bytes": 1})
    document = writer.call("DELETE", f"/v1/documents/{announced.json['document']['document_id']}").json["erasure_id"]
    user = eraser.call("DELETE", "/v1/users/ada").json["id"]

    assert writer.call("GET", f"/v1/erasures/{document}").json["extent"] == "document"
    assert writer.call("GET", f"/v1/erasures/{user}").code == "missing_scope"
    assert reader.call("GET", f"/v1/erasures/{document}").code == "missing_scope"
    tenant = operator.call("DELETE", f"/v1/tenants/{ALICE.id}").json["id"]
    assert admin.call("GET", f"/v1/erasures/{tenant}").json["extent"] == "tenant"
