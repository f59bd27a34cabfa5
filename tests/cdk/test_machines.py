"""How machines, functions and the gateway fit into one another's time, and which code a run keeps."""

import re
from typing import Any

import pytest

from cdk.stacks.api import GATEWAY_TIMEOUT, STREAM_TIMEOUT
from cdk.steps import API, RELAY, START_INGEST
from tests.cdk.conftest import Synthesized


def test_the_api_answers_before_the_gateway_gives_up() -> None:
    assert API.timeout_seconds < GATEWAY_TIMEOUT.to_seconds() <= 29
    assert RELAY.timeout_seconds <= STREAM_TIMEOUT.to_seconds()


NO_FUNCTIONS = {"IngestMachineArn", "WorkBucket"}


@pytest.mark.parametrize("environment", ["local", "prod"])
def test_every_placeholder_of_a_machine_is_filled_in(synthesized: Synthesized, environment: str) -> None:
    for name, machine in synthesized(environment).resources("AWS::StepFunctions::StateMachine").items():
        wanted = set(re.findall(r"\$\{(\w+)\}", str(machine["Properties"]["DefinitionString"])))
        assert wanted == set(machine["Properties"]["DefinitionSubstitutions"]), name


def test_on_aws_a_run_keeps_the_version_that_it_began_with(synthesized: Synthesized) -> None:
    assembly = synthesized("prod")
    versions = {name.partition("/")[2] for name in assembly.resources("AWS::Lambda::Version")}
    for name, machine in assembly.resources("AWS::StepFunctions::StateMachine").items():
        values = machine["Properties"]["DefinitionSubstitutions"]
        called = {each["Ref"] for key, each in values.items() if key not in NO_FUNCTIONS}
        assert called <= versions, name
    assert all(version["DeletionPolicy"] == "Retain" for version in assembly.resources("AWS::Lambda::Version").values())


@pytest.mark.parametrize("environment", ["local", "prod"])
def test_the_logs_of_a_machine_hold_no_content(synthesized: Synthesized, environment: str) -> None:
    for name, machine in synthesized(environment).resources("AWS::StepFunctions::StateMachine").items():
        logging = machine["Properties"]["LoggingConfiguration"]
        assert (logging["Level"], logging["IncludeExecutionData"]) == ("ERROR", False), name


def test_answers_are_express_and_documents_standard(synthesized: Synthesized) -> None:
    machines = synthesized("prod").resources("AWS::StepFunctions::StateMachine")
    kinds = {
        name.partition("/")[2].partition("Machine")[0]: each["Properties"]["StateMachineType"]
        for name, each in machines.items()
    }
    documents = dict.fromkeys(("Ingest", "Erase", "Forget", "Export", "Import", "Reindex"), "STANDARD")
    assert kinds == {"Answer": "EXPRESS", **documents}


def test_a_message_stays_hidden_for_six_times_the_function_that_takes_it(synthesized: Synthesized) -> None:
    queues = synthesized("prod").resources("AWS::SQS::Queue")
    (changes,) = (each["Properties"] for name, each in queues.items() if name.startswith("ingest/Changes"))
    assert changes["VisibilityTimeout"] == 6 * START_INGEST.timeout_seconds
    assert changes["RedrivePolicy"]["maxReceiveCount"] == 5


def test_only_failed_messages_of_a_batch_come_again(synthesized: Synthesized) -> None:
    (mapping,) = synthesized("prod").resources("AWS::Lambda::EventSourceMapping").values()
    assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_events_of_a_run_are_streamed_on_aws_and_left_to_the_edge_locally(synthesized: Synthesized) -> None:
    def streaming(environment: str) -> list[dict[str, Any]]:
        methods = synthesized(environment).resources("AWS::ApiGateway::Method").values()
        integrations = [method["Properties"]["Integration"] for method in methods]
        return [each for each in integrations if each.get("ResponseTransferMode") == "STREAM"]

    assert len(streaming("prod")) == 1
    assert not streaming("local")
