"""The contracts of `Machines` and `DeadLetters` against Step Functions and SQS."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from plinth.adapters.sqs_dead_letters import SqsDeadLetters
from plinth.adapters.step_functions import MachineArns, StepFunctions
from plinth.contracts.memory import DocumentRecord, DocumentState, DocumentVersion
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from plinth.errors import PlinthError
from tests.contract.adapters.conftest import Cloud

Version = Callable[..., DocumentVersion]


@pytest.fixture
def machine(cloud: Cloud) -> str:
    """Make a Standard machine and return its ARN."""
    definition = {"QueryLanguage": "JSONata", "StartAt": "Rest", "States": {"Rest": {"Type": "Pass", "End": True}}}
    made = cloud.client("stepfunctions").create_state_machine(
        name=f"machine-{uuid4().hex[:8]}",
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::000000000000:role/any",
        type="STANDARD",
    )
    return str(made["stateMachineArn"])


def inputs(cloud: Cloud, machine: str) -> list[Any]:
    """Return what each execution of the machine was given."""
    client = cloud.client("stepfunctions")
    executions = client.list_executions(stateMachineArn=machine)["executions"]
    given = [client.describe_execution(executionArn=each["executionArn"])["input"] for each in executions]
    return [json.loads(each) for each in given]


def test_a_run_starts_the_answer_machine_once_per_epoch(cloud: Cloud, machine: str, tenant: Tenant) -> None:
    machines = StepFunctions(MachineArns(answer=machine), client=cloud.client("stepfunctions"))
    run = Run(id=f"run_{uuid4().hex[:26]}", tenant=tenant, epoch=1, deadline=1.5)

    machines.start_answer(run)
    machines.start_answer(run)

    assert inputs(cloud, machine) == [{"run": msgspec.to_builtins(run)}]


@pytest.mark.guarantee_d
@pytest.mark.parametrize("kind", ["ingest", "erase"])
def test_a_version_starts_its_machine_once_though_its_event_came_twice(
    cloud: Cloud, machine: str, version: Version, kind: str
) -> None:
    client = cloud.client("stepfunctions")
    machines = StepFunctions(MachineArns(ingest=machine, erase=machine), client=client)
    start = machines.start_ingest if kind == "ingest" else machines.start_erase

    for number in (1, 1, 2):
        start(version(number))

    if kind == "ingest":
        start(replace(version(2), attempt=1))
    sequences = sorted(each["document"]["sequence"] for each in inputs(cloud, machine))
    again = [version(2).sequence] if kind == "ingest" else []
    assert sequences == [version(1).sequence, version(2).sequence, *again]


def test_a_machine_that_does_not_exist_is_a_permanent_error(cloud: Cloud, machine: str, version: Version) -> None:
    machines = StepFunctions(MachineArns(ingest=f"{machine}gone"), client=cloud.client("stepfunctions"))

    with pytest.raises(PlinthError, match="StateMachineDoesNotExist"):
        machines.start_ingest(version(1))


def test_a_dead_letter_carries_the_document_and_the_reason(cloud: Cloud, version: Version) -> None:
    client = cloud.client("sqs")
    url = client.create_queue(QueueName=f"letters-{uuid4().hex[:8]}")["QueueUrl"]

    refusal = DocumentRecord(
        document_id="doc_a",
        name="a.txt",
        state=DocumentState.REFUSED,
        updated_at=9.0,
        reason="encrypted",
        message="Remove the password.",
        attempted_at=(1.0, 8.0),
    )
    SqsDeadLetters(client=client, queue_url=url).send(version(1), refusal)

    (message,) = client.receive_message(QueueUrl=url)["Messages"]
    letter = json.loads(message["Body"])
    assert (letter["reason"], letter["message"]) == ("encrypted", "Remove the password.")
    assert (letter["attempts"], letter["attempted_at"]) == (2, [1.0, 8.0])
    assert letter["document"]["object_key"] == version(1).object_key
