"""GET /v1/usage: what the caller's tenant used, and nobody else."""

from datetime import UTC, datetime

import pytest

from plinth.contracts.events import ReceiptMade, RunEnded
from plinth.contracts.runs import Receipt, RunStatus
from tests.fakes.costs import model_cost
from tests.unit.access.world import ALICE, BOB, World
from tests.unit.api.client import Client

CALL = model_cost("plinth-local")
RECEIPT = Receipt(model_calls=(CALL,), model_cost_micro_usd=70)


def today(world: World) -> str:
    return datetime.fromtimestamp(world.clock.now(), UTC).date().isoformat()


def ended_run(world: World) -> None:
    world.log.append(world.accepted_run(), [ReceiptMade(receipt=RECEIPT), RunEnded(status=RunStatus.DONE)])


def test_a_month_is_told_by_day_with_its_sum(world: World, client: Client) -> None:
    ended_run(world)
    ended_run(world)
    world.accepted_run()

    answer = client.call("GET", "/v1/usage")

    assert answer.status == 200
    assert (answer.json["first_day"], answer.json["last_day"]) == (f"{today(world)[:7]}-01", today(world))
    (line,) = answer.json["lines"]
    assert (line["name"], line["runs"], line["model_cost_micro_usd"]) == (today(world), 2, 140)
    assert answer.json["total"] == {**line, "name": "total"}


@pytest.mark.parametrize(("by", "name"), [("user", "someone"), ("model", "plinth-local")])
def test_lines_are_about_what_was_asked_for(world: World, client: Client, by: str, name: str) -> None:
    ended_run(world)

    answer = client.call("GET", f"/v1/usage?by={by}")

    assert [line["name"] for line in answer.json["lines"]] == [name]


@pytest.mark.guarantee_e
def test_another_tenants_usage_is_not_told(world: World) -> None:
    ended_run(world)

    answer = Client(world, world.issue(BOB)).call("GET", "/v1/usage")

    assert (answer.json["lines"], answer.json["total"]["runs"]) == ([], 0)
    assert Client(world, world.issue(ALICE)).call("GET", "/v1/usage").json["total"]["runs"] == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("first_day=2026-02-30", "first_day"),
        ("last_day=tomorrow", "last_day"),
        ("first_day=2026-02-02&last_day=2026-02-01", "first_day"),
        ("first_day=2024-02-02&last_day=2026-02-01", "first_day"),
        ("by=tenant", "by"),
    ],
)
def test_what_can_not_be_meant_is_refused_by_its_name(client: Client, query: str, field: str) -> None:
    answer = client.call("GET", f"/v1/usage?{query}")

    assert (answer.status, answer.code) == (400, "invalid_request")
    assert field in str(answer.json)
