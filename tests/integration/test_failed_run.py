"""A run that fails for real leaves a log that says which step failed, and what the others did."""

import os
import signal
from collections.abc import Iterator

import pytest

from client.api import Question
from local import stack
from local.supervision import Phase, ProcessReport, wait_until
from plinth.contracts.events import ReceiptMade, RunEnded, StepEnded
from tests.integration.conftest import Deployed

pytestmark = pytest.mark.integration


def search_engine(deployed: Deployed) -> ProcessReport:
    return next(process for process in stack.status(deployed.home).processes if process.name == "search")


@pytest.fixture
def without_search(deployed: Deployed) -> Iterator[Deployed]:
    os.kill(search_engine(deployed).pid, signal.SIGTERM)
    assert wait_until(lambda: search_engine(deployed).phase is Phase.ENDED, timeout_seconds=20)
    yield deployed
    deployed.up()


def test_a_run_without_a_search_engine_logs_what_failed_what_did_not_and_its_own_end(without_search: Deployed) -> None:
    with without_search.api() as api:
        run = api.create_run(Question(question="Is anybody there?"))
        events = [entry.event for entry in api.events(run.id)]
        trace = api.trace(run.id)

    *_, own, receipt, ended = events
    outcomes = {event.step: event.outcome for event in events if isinstance(event, StepEnded)}
    assert outcomes == {
        "Api": "ok",
        "ClaimRun": "ok",
        "RetrieveContext": "MemoryUnavailableError",
        "RecallConversation": "ok",
        "FailRun": "ok",
    }
    assert isinstance(own, StepEnded)
    assert own.step == "FailRun"
    assert isinstance(receipt, ReceiptMade)
    assert receipt.receipt.model_cost_micro_usd == 0
    assert isinstance(ended, RunEnded)
    assert ended.reason == "unavailable"
    (failed,) = [step for step in trace.steps if step.step == "RetrieveContext"]
    assert [(tried.retry, tried.outcome) for tried in failed.tries] == [
        (retry, "MemoryUnavailableError") for retry in range(4)
    ]
    assert (failed.retries, failed.wait_ms > 0) == (3, True)
