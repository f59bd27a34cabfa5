"""Failures inside: a caller learns that, an operator learns where, and neither log nor answer holds content."""

import pytest

from plinth.contracts.runs import RunRecord
from plinth.contracts.tenant import Tenant
from plinth.errors import StoreUnavailableError
from tests.fakes.runs import FakeRuns
from tests.unit.access.world import World
from tests.unit.api.client import Client

RUN = "/v1/runs/run_" + "0" * 26
CANARY = "the colour of the canary"


class FailingRuns(FakeRuns):
    """Raises what it is told to."""

    def __init__(self, world: World, error: Exception) -> None:
        super().__init__(world.clock)
        self._error = error

    def get(self, tenant: Tenant, run_id: str) -> RunRecord:
        raise self._error


def test_an_unforeseen_error_is_a_500_with_the_request_id_and_nothing_else(world: World, client: Client) -> None:
    world.services.runs = FailingRuns(world, KeyError(CANARY))

    answer = client.call("GET", RUN)

    assert (answer.status, answer.code, answer.json["request_id"]) == (500, "internal_error", "request-1")
    assert CANARY not in answer.text
    assert "KeyError" not in answer.text


def test_a_store_that_does_not_answer_is_a_503_to_try_again(world: World, client: Client) -> None:
    world.services.runs = FailingRuns(world, StoreUnavailableError(CANARY))

    answer = client.call("GET", RUN)

    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "unavailable", "1")
    assert CANARY not in answer.text


def test_the_api_answers_after_an_unforeseen_error(world: World, client: Client) -> None:
    world.services.runs = FailingRuns(world, KeyError(CANARY))
    client.call("GET", RUN)

    world.services.runs = world.runs

    assert client.ask().status == 202


def test_no_log_line_holds_a_question_a_key_a_tenant_or_an_error_text(
    world: World, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.ask(CANARY)
    client.ask(CANARY, surplus=CANARY)
    client.call("GET", f"/v1/{CANARY}")
    world.services.runs = FailingRuns(world, KeyError(CANARY))
    client.call("GET", RUN)

    logged = "\n".join(str(vars(record)) for record in caplog.records)
    assert client.key is not None
    assert any(vars(record).get("run_id") for record in caplog.records)
    assert sum(record.getMessage() == "request answered" for record in caplog.records) == 4
    assert "KeyError" in logged
    assert not [word for word in (CANARY, client.key.secret, "alice") if word in logged]
