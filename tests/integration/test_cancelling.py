"""A run that is cancelled on the deployed stack: its model is hung up on, its call is charged, and it ends."""

import time
from uuid import uuid4

import pytest

from client.answers import collect
from client.api import Question
from local.supervision import wait_until
from plinth.contracts.events import RunEnded, TextDelta
from plinth.contracts.runs import RunStatus
from tests.fakes.providers import ProviderServer
from tests.integration.conftest import Deployed

pytestmark = pytest.mark.integration

PAID = "claude-haiku-5-5"


def test_a_model_that_writes_is_stopped_and_its_call_is_charged(deployed: Deployed, provider: ProviderServer) -> None:
    token = uuid4().hex
    with deployed.api("frugal") as api:
        run = api.create_run(Question(question=f"When? [[script:patient@0.5:{token}]]", model=PAID))
        events = []
        cancelled_at = 0.0
        for logged in api.events(run.id):
            events.append(logged)
            if isinstance(logged.event, TextDelta) and not cancelled_at:
                api.cancel_run(run.id)
                cancelled_at = time.monotonic()
        seconds = time.monotonic() - cancelled_at
        ended = api.get_run(run.id)
        again = api.cancel_run(run.id)

    assert isinstance(events[-1].event, RunEnded)
    assert seconds < 15
    assert (ended.status, again.status) == (RunStatus.CANCELLED, RunStatus.CANCELLED)
    assert ended.failure is not None
    assert ended.failure.reason == "cancelled"
    assert ended.receipt is not None
    (call,) = ended.receipt.model_calls
    assert (call.outcome, call.cost_micro_usd > 0) == ("cancelled", True)
    assert collect(events).text
    (told,) = (each for each in provider.books.calls if each.token == token)
    assert wait_until(lambda: told.left, timeout_seconds=5)


def test_a_run_that_waits_for_its_model_ends_within_seconds_of_being_cancelled(
    deployed: Deployed, provider: ProviderServer
) -> None:
    token = uuid4().hex
    with deployed.api("frugal") as api:
        run = api.create_run(Question(question=f"When? [[script:429@60+ok:{token}]]", model=PAID))
        assert wait_until(lambda: any(each.token == token for each in provider.books.calls), timeout_seconds=20)
        time.sleep(1.0)
        api.cancel_run(run.id)
        cancelled_at = time.monotonic()
        events = [logged.event for logged in api.events(run.id)]
        seconds = time.monotonic() - cancelled_at
        ended = api.get_run(run.id)

    assert isinstance(events[-1], RunEnded)
    assert seconds < 15
    assert ended.status == RunStatus.CANCELLED
    assert ended.receipt is not None
    assert [call.outcome for call in ended.receipt.model_calls] == ["model_busy"]
    assert sum(each.token == token for each in provider.books.calls) == 1
