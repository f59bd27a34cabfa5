"""Whatever fails in the middle of a run, it ends in time, with a reason that its caller can act on, and a receipt."""

import json
import time
from uuid import uuid4

import pytest

from client.api import PlinthApi, Question
from client.records import Run
from local.supervision import wait_until
from plinth.contracts.events import StepEnded
from plinth.contracts.tenant import Tenant
from tests.fakes.providers import ProviderServer
from tests.integration.chances import PAID, TENANT, chances, play
from tests.integration.conftest import Deployed

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_a, pytest.mark.guarantee_f]

SWEPT_WITHIN_SECONDS = 130.0
HANGING = Tenant(id="hanging")
"""Of its own: what is held of the others' budgets may be settled meanwhile."""


def steps_of(api: PlinthApi, run: Run) -> dict[str, str]:
    """Return each logged step's outcome."""
    events = [logged.event for logged in api.events(run.id)]
    return {event.step: event.outcome for event in events if isinstance(event, StepEnded)}


def test_a_step_that_hangs_is_ended_and_its_run_says_so(deployed: Deployed, provider: ProviderServer) -> None:
    with chances(deployed, crash={"function": "-BuildPrompt", "call": "GetItem", "how": "hang"}):
        started = time.monotonic()
        played = play(deployed, provider, tenant=HANGING)
        seconds = time.monotonic() - started

    assert played.outcome == "failed: timed_out"
    assert seconds < 25
    assert (played.receipt_micro_usd, played.provider_micro_usd, played.held_micro_usd) == (0, 0, 0)


def test_a_function_that_is_killed_each_time_ends_its_run_with_a_reason(
    deployed: Deployed, provider: ProviderServer
) -> None:
    with chances(deployed, crash={"function": "-RetrieveContext", "times": 9}):
        played = play(deployed, provider)

    assert played.outcome == "failed: function_lost"
    assert played.receipt_micro_usd == 0


def test_a_table_that_stays_throttled_ends_the_run_as_unavailable(deployed: Deployed, provider: ProviderServer) -> None:
    with chances(deployed, throttled_tables=[deployed.info.outputs["ConversationsTable"]]):
        played = play(deployed, provider)

    assert played.outcome == "failed: unavailable"
    assert played.receipt_micro_usd == played.provider_micro_usd == 0


def test_a_table_that_is_throttled_for_seconds_keeps_no_run_from_its_answer(
    deployed: Deployed, provider: ProviderServer
) -> None:
    with deployed.api(TENANT.id) as api:
        token = uuid4().hex
        run = api.create_run(Question(question=f"Is it? [[script:ok@0.3:{token}]]", model=PAID))
        assert wait_until(lambda: any(each.token == token for each in provider.books.calls), timeout_seconds=20)
        with chances(deployed, throttled_tables=[deployed.info.outputs["RunsTable"]]):
            time.sleep(0.5)
        assert list(api.events(run.id))
        ended = api.get_run(run.id)

    assert ended.receipt is not None
    assert (ended.status, ended.failure and ended.failure.reason) in {
        ("done", None),
        ("failed", "model_stream_cut"),
    }


def test_what_no_step_can_read_ends_the_run_and_the_next_one_is_answered(
    deployed: Deployed, provider: ProviderServer
) -> None:
    with deployed.api(TENANT.id) as api:
        conversation = uuid4().hex
        first = api.create_run(Question(question="Is it? [[script:ok:a]]", model=PAID, conversation_id=conversation))
        assert list(api.events(first.id))
        table = deployed.info.outputs["ConversationsTable"]
        turns = [item for item in deployed.items("Conversations") if conversation in json.dumps(item, default=str)]
        assert turns
        for item in turns:
            item["body"] = {"B": b"no turn of ours"}
            deployed.write("put_item", TableName=table, Item=item)
        second = api.create_run(Question(question="And now?", model=PAID, conversation_id=conversation))
        outcomes = steps_of(api, second)
        ended = api.get_run(second.id)

    assert ended.failure is not None
    assert ended.failure.reason == "internal"
    assert outcomes["RecallConversation"] not in ("ok", "Sandbox.Timedout")
    assert outcomes["FailRun"] == "ok"
    assert play(deployed, provider).outcome == "done"


def test_a_run_whose_start_was_lost_is_begun_by_the_sweep_and_answered(
    deployed: Deployed, provider: ProviderServer
) -> None:
    token = uuid4().hex
    with deployed.api(TENANT.id) as api:
        with chances(deployed, lost_starts=1):
            run = api.create_run(Question(question=f"Is it? [[script:ok:{token}]]", model=PAID))
            time.sleep(0.5)
        assert wait_until(lambda: api.get_run(run.id).status == "done", timeout_seconds=SWEPT_WITHIN_SECONDS)
        ended = api.get_run(run.id)

    assert ended.receipt is not None
    assert sum(call.token == token for call in provider.books.calls) == 1


@pytest.mark.long
def test_a_run_whose_own_ending_dies_each_time_is_ended_by_the_sweep_after_its_deadline(
    deployed: Deployed, provider: ProviderServer
) -> None:
    with chances(deployed, crash={"function": "-FailRun", "times": 20}), deployed.api(TENANT.id) as api:
        run = api.create_run(Question(question=f"Is it? [[script:400:{uuid4().hex}]]", model=PAID))
        assert wait_until(lambda: api.get_run(run.id).status == "failed", timeout_seconds=330 + SWEPT_WITHIN_SECONDS)
        ended = api.get_run(run.id)

    assert ended.failure is not None
    assert ended.failure.reason == "timed_out"
