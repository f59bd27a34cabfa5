"""GET /v1/runs/{id}/trace: what a run did and when, to its owner."""

import pytest

from plinth.contracts.events import ReceiptMade, Reset, RunEnded, StepEnded, TextDelta
from plinth.contracts.platform import Spent
from plinth.contracts.runs import Receipt, Run, RunStatus
from tests.fakes.costs import model_cost
from tests.unit.access.world import BOB, World
from tests.unit.api.client import Client


def step(name: str, start: float, duration_ms: float, **rest: object) -> StepEnded:
    return StepEnded(step=name, started_at=1_800_000_000.0 + start, duration_ms=duration_ms, **rest)


@pytest.fixture
def run(world: World) -> Run:
    """Let two steps overlap, wait a second, and work again."""
    made = world.accepted_run()
    spent = Spent(memory_mb=256, read_units=1.0, write_units=2.0, searches=1)
    world.log.append(made, [step("RetrieveContext", 0.0, 200, spent=spent, cold=True), step("ClaimRun", 0.1, 200)])
    world.clock.advance(0.5)
    world.log.append(made, [TextDelta(text="Half", attempt=1, offset=0)])
    world.clock.advance(0.5)
    world.log.append(made, [Reset(attempt=2, reason="model_silent"), step("CallModel", 1.3, 100, outcome="Gone")])
    return made


def test_a_trace_tells_steps_in_order_and_work_from_waiting(client: Client, run: Run) -> None:
    trace = client.call("GET", f"/v1/runs/{run.id}/trace").json

    assert [(each["step"], each["start_ms"]) for each in trace["steps"]] == [
        ("RetrieveContext", 0.0),
        ("ClaimRun", 100.0),
        ("CallModel", 1300.0),
    ]
    assert (trace["work_ms"], trace["wait_ms"]) == (400.0, 1000.0)
    assert (trace["first_text_ms"], trace["resets"]) == (500.0, [{"at_ms": 1000.0, "reason": "model_silent"}])
    first, _, last = trace["steps"]
    assert (first["cold"], first["memory_mb"], first["write_units"], first["searches"]) == (True, 256, 2.0, 1)
    assert (last["outcome"], last["memory_mb"]) == ("Gone", 0)
    assert (trace["status"], trace["receipt"]) == ("accepted", None)


def test_the_trace_of_an_ended_run_has_its_receipt_and_why_it_failed(world: World, client: Client, run: Run) -> None:
    receipt = ReceiptMade(receipt=Receipt(model_calls=(model_cost(),), model_cost_micro_usd=70))
    ended = RunEnded(status=RunStatus.FAILED, reason="model_silent", message="ask again")
    world.log.append(run, [receipt, ended])

    trace = client.call("GET", f"/v1/runs/{run.id}/trace").json

    assert (trace["status"], trace["failure"]["reason"]) == ("failed", "model_silent")
    assert trace["receipt"]["model_calls"][0]["cost_micro_usd"] == 70


def test_a_run_that_has_done_nothing_yet_has_an_empty_trace(world: World, client: Client) -> None:
    trace = client.call("GET", f"/v1/runs/{world.accepted_run().id}/trace").json

    assert (trace["steps"], trace["work_ms"], trace["wait_ms"], trace["first_text_ms"]) == ([], 0.0, 0.0, None)


@pytest.mark.guarantee_e
def test_the_trace_of_another_tenants_run_is_as_absent_as_none(world: World, run: Run) -> None:
    bob = Client(world, world.issue(BOB))

    answers = [bob.call("GET", f"/v1/runs/{run_id}/trace") for run_id in (run.id, "run_" + "0" * 26, "nonsense")]

    assert {(each.status, each.code) for each in answers} == {(404, "not_found")}
