"""Runs that need more than one execution, on the deployed stack, where every execution is started twice."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from client.answers import collect
from client.api import Question
from plinth.adapters.model_deadline import LOOK_SECONDS
from plinth.contracts.events import LoggedEvent, RunResumed, StepEnded, TextDelta
from plinth.contracts.runs import RunStatus
from tests.fakes.providers import ProviderServer
from tests.fakes.providers.scripts import OK_TEXT
from tests.integration.conftest import Deployed

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_a]
EVENT_SECONDS = 0.8  # between a scripted model's events: below the catalogue's limit for a stall


@dataclass(frozen=True)
class Ended:
    """A run as its reader saw it, and how it stands."""

    run_id: str
    epoch: int
    events: list[LoggedEvent]
    seconds: float

    @property
    def resumed(self) -> list[str]:
        return [each.event.because for each in self.events if isinstance(each.event, RunResumed)]

    @property
    def steps(self) -> list[str]:
        return [each.event.step for each in self.events if isinstance(each.event, StepEnded)]


def asked(deployed: Deployed, script: str, **fields: int) -> Ended:
    """Ask for a script, read to the end, and hold what must be true of every answered run."""
    question = Question(
        question=f"How many? [[script:{script}:{uuid4().hex}]]",
        model="claude-haiku-5-5",
        tools=["calculate"],
        **fields,
    )
    began = time.monotonic()
    with deployed.api() as api:
        run = api.create_run(question)
        events = list(api.events(run.id))
        ended = api.get_run(run.id)
    assert ended.status is RunStatus.DONE, [(each.epoch, each.event) for each in events if not is_text(each)]
    assert ended.answer is not None
    assert ended.answer.text == collect(events).text == "".join(OK_TEXT)
    assert [each.seq for each in events] == list(range(1, len(events) + 1))
    epochs = [each.epoch for each in events]
    assert epochs == sorted(epochs)
    return Ended(run.id, epochs[-1], events, time.monotonic() - began)


def is_text(logged: LoggedEvent) -> bool:
    return isinstance(logged.event, TextDelta)


def test_a_run_goes_on_in_a_next_execution_before_a_call_that_might_not_end_in_the_first(
    deployed: Deployed, provider: ProviderServer
) -> None:
    calls = len(provider.books.calls)

    ended = asked(deployed, f"patient@{EVENT_SECONDS}+ok", deadline_seconds=600)

    assert (ended.epoch, ended.resumed) == (2, ["time"])
    assert ended.steps.count("ClaimRun") == 2
    assert ended.steps.count("SaveContinuation") == 1
    assert ended.steps.count("CallModel") == 2
    assert len(provider.books.calls) == calls + 2


@pytest.mark.long
def test_a_run_is_taken_over_from_an_execution_that_lives_on(deployed: Deployed) -> None:
    """The lease is made to end while the model still speaks: what its execution still writes must go nowhere."""
    caught = threading.Event()
    thief = threading.Thread(target=steal, args=(deployed, caught), daemon=True)
    thief.start()

    try:
        ended = asked(deployed, f"most_patient@{EVENT_SECONDS}+ok", deadline_seconds=600)
    finally:
        caught.set()
        thief.join()

    assert ended.resumed[0] == "lost"
    assert any(isinstance(each.event, TextDelta) and each.epoch == 1 for each in ended.events)
    time.sleep(3 * LOOK_SECONDS)
    with deployed.api() as api:
        assert list(api.events(ended.run_id)) == ended.events


def steal(deployed: Deployed, caught: threading.Event) -> None:
    """End the lease of every run that has its first one, again and again until it is taken over."""
    dynamodb, table = deployed.aws("dynamodb"), deployed.info.outputs["RunsTable"]
    while not caught.wait(1.0):
        for item in deployed.items("Runs"):
            if item["sk"]["S"] == "RUN" and item["status"]["S"] == "running" and item["epoch"]["N"] == "1":
                with suppress(ClientError):  # it was taken over, or written to, meanwhile
                    dynamodb.update_item(
                        TableName=table,
                        Key={"pk": item["pk"], "sk": item["sk"]},
                        UpdateExpression="SET leased_until = :past, lapses_at = :past",
                        ConditionExpression="epoch = :one AND attribute_exists(#owner)",
                        ExpressionAttributeNames={"#owner": "owner"},
                        ExpressionAttributeValues={":past": {"N": "1"}, ":one": {"N": "1"}},
                    )


@pytest.mark.long
def test_ten_turns_in_twelve_minutes(deployed: Deployed, provider: ProviderServer) -> None:
    calls, script = len(provider.books.calls), "+".join([f"most_patient@{EVENT_SECONDS}"] * 9 + ["ok"])

    ended = asked(deployed, script, deadline_seconds=1500, max_turns=10)

    assert ended.seconds > 600
    assert ended.epoch >= 4
    assert ended.resumed == ["time"] * (ended.epoch - 1)
    assert ended.steps.count("CallModel") == 10
    assert len(provider.books.calls) == calls + 10
