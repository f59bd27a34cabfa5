"""Runs that nobody began or ended, on the deployed stack: the sweep begins the one and ends the other."""

import time
from uuid import uuid4

import pytest

from local.supervision import wait_until
from plinth.access.run_ids import new_run_id
from plinth.adapters.dynamo_executions import DynamoExecutions
from plinth.adapters.dynamo_runs import DynamoRuns
from plinth.adapters.dynamodb_table import Table
from plinth.contracts.events import RunResumed
from plinth.contracts.runs import Run, RunRequest, RunStatus
from plinth.contracts.tenant import Tenant
from tests.fakes.clock import FakeClock
from tests.integration.conftest import Deployed

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_a]

SWEPT_WITHIN_SECONDS = 130.0


def test_a_run_that_was_not_begun_is_answered_and_one_that_was_lost_is_resumed_or_ended(deployed: Deployed) -> None:
    table = Table(client=deployed.aws("dynamodb"), name=deployed.info.outputs["RunsTable"])

    def accepted(*, seconds_ago: float, seconds: float = 270, claimed: bool = False) -> Run:
        clock = FakeClock(time.time() - seconds_ago)
        run = Run(id=new_run_id(clock.now()), tenant=Tenant(id="acme"), epoch=1, deadline=clock.now() + seconds)
        question = f"Is anybody there? [[script:ok:{uuid4().hex}]]"
        request = RunRequest(question=question, model="claude-haiku-5-5", models=("claude-haiku-5-5",), user="ann")
        runs = DynamoRuns(table=table, clock=clock)
        runs.accept(run, request, None)
        if claimed:
            assert DynamoExecutions(table=table, runs=runs, clock=clock).claim(run, owner="an execution that died")
        return run

    forgotten, lost = accepted(seconds_ago=31), accepted(seconds_ago=271 + 60)
    died = accepted(seconds_ago=125, seconds=900, claimed=True)

    with deployed.api() as api:

        def told() -> list[RunStatus]:
            return [api.get_run(run.id).status for run in (forgotten, died, lost)]

        assert wait_until(
            lambda: told() == [RunStatus.DONE, RunStatus.DONE, RunStatus.FAILED], timeout_seconds=SWEPT_WITHIN_SECONDS
        )
        resumed = [entry for entry in api.events(died.id) if isinstance(entry.event, RunResumed)]
        assert [(entry.epoch, entry.event.because) for entry in resumed] == [(2, "lost")]
        ended = api.get_run(lost.id)
        assert [entry.event.__class__.__name__ for entry in api.events(lost.id)] == [
            "RunAccepted",
            "ReceiptMade",
            "RunEnded",
        ]

    assert ended.failure is not None
    assert ended.failure.reason == "timed_out"
