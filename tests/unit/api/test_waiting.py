"""`Prefer: wait=N`: the ended run where it ends in time, the reference where it does not."""

from dataclasses import dataclass
from typing import Any

import pytest

from plinth.contracts.runs import Acceptance, Run, RunRecord
from plinth.contracts.tenant import Tenant
from plinth.errors import StoreUnavailableError
from tests.fakes.runs import FakeRuns
from tests.unit.access.world import World
from tests.unit.api.client import Client


@dataclass
class EndsLater:
    """Ends each run once the clock has reached a time, and counts how often runs are read."""

    world: World
    at: float
    reads: int = 0

    def install(self) -> None:
        outer = self

        class Runs(FakeRuns):
            def get(self, tenant: Tenant, run_id: str) -> RunRecord:
                outer.reads += 1
                if outer.world.clock.now() >= outer.at:
                    outer.world.end(Run(id=run_id, tenant=tenant, epoch=1, deadline=0))
                return super().get(tenant, run_id)

        self.world.services.runs = self.world.runs = Runs(self.world.clock)


def test_a_run_that_ends_in_time_is_the_answer(world: World, client: Client) -> None:
    EndsLater(world, world.clock.now() + 3).install()

    answer = client.ask(headers={"Prefer": "wait=10"})

    assert (answer.status, answer.json["status"]) == (200, "done")
    assert answer.json["answer"]["text"]
    assert answer.headers["preference-applied"] == "wait=10"


@pytest.mark.parametrize("prefer", ["respond-async, wait=5", ["respond-async", "wait=5"]])
def test_a_run_that_takes_longer_is_a_202_after_the_wait(world: World, client: Client, prefer: str | list[str]) -> None:
    asked_at = world.clock.now()
    EndsLater(world, asked_at + 60).install()

    answer = client.ask(headers={"Prefer": prefer})

    assert (answer.status, answer.json["status"]) == (202, "accepted")
    assert 5 <= world.clock.now() - asked_at < 6


def test_waiting_reads_at_most_twice_a_second_in_the_long_run(world: World, client: Client) -> None:
    later = EndsLater(world, world.clock.now() + 60)
    later.install()

    client.ask(headers={"Prefer": "wait=25"})

    assert later.reads <= 60


def test_a_wait_ends_before_its_function_does_so_that_the_caller_learns_the_runs_id(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept, asked_at = world.runs.accept, world.clock.now()

    def slowly(*given: Any) -> Acceptance:
        world.clock.advance(8)
        return accept(*given)

    monkeypatch.setattr(world.runs, "accept", slowly)

    answer = client.ask(headers={"Prefer": "wait=25"})

    assert (answer.status, answer.json["status"]) == (202, "accepted")
    assert world.clock.now() < asked_at + 24


@pytest.mark.parametrize("wait", ["0", "26", "-1", "1.5", "x", "", "99999999999"])
def test_a_wait_out_of_range_is_refused_before_anything_is_written(world: World, client: Client, wait: str) -> None:
    answer = client.ask(headers={"Prefer": f"wait={wait}"})

    assert (answer.status, answer.code, answer.json["field"]) == (400, "invalid_request", "prefer")
    assert "1 to 25" in answer.json["detail"]
    assert not world.runs.rows


@pytest.mark.parametrize("prefer", ["respond-async", "return=minimal; foo", "await=7"])
def test_other_preferences_are_ignored(client: Client, prefer: str) -> None:
    answer = client.ask(headers={"Prefer": prefer})

    assert answer.status == 202
    assert "preference-applied" not in answer.headers


def test_a_store_that_fails_while_waiting_does_not_hide_the_accepted_run(world: World, client: Client) -> None:
    class Runs(FakeRuns):
        def get(self, tenant: Tenant, run_id: str) -> RunRecord:
            raise StoreUnavailableError("throttled")

    world.services.runs = world.runs = Runs(world.clock)

    answer = client.ask(headers={"Prefer": "wait=2"})

    assert (answer.status, answer.json["status"]) == (202, "accepted")
