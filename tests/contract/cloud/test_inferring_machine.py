"""The infer machine against functions that play the endpoint: success, failure, a start that breaks, and silence."""

import json
import time
from typing import Any

from tests.asl.states import load
from tests.contract.cloud.conftest import Cloud

PLAYER = """
import boto3, json, os
class StoreUnavailableError(Exception): pass
calls = []
def handler(event, context):
    calls.append(event)
    play = event["body"]["plays"][len(calls) - 1]
    steps = boto3.client("stepfunctions", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    if play == "succeed":
        seen = [[each["attempt"], each["execution"] == event["execution"]] for each in calls]
        output = {"result": {"output_location": json.dumps(seen)}}
        steps.send_task_success(taskToken=event["task_token"], output=json.dumps(output))
    elif play == "break":
        raise StoreUnavailableError("the queue does not take it")
    elif play != "silence":
        steps.send_task_failure(taskToken=event["task_token"], error=play, cause="the endpoint said so")
"""


def run(cloud: Cloud, *plays: str, seconds: int = 20) -> dict[str, Any]:
    """Run the machine once; its function plays one part after another. Time-outs and delays are shortened."""
    function = cloud.function(PLAYER)
    text = json.dumps(load("infer")).replace("${StartInferenceArn}", function)
    definition = json.loads(text)
    definition["States"]["StartInference"]["TimeoutSeconds"] = seconds
    definition["States"]["WaitToStart"]["Seconds"] = 0
    machine = cloud.machine(definition["States"], kind="STANDARD", StartAt=definition["StartAt"])
    given = json.dumps({"tenant": {"id": "acme"}, "body": {"plays": plays}})
    started = cloud.client("stepfunctions").start_execution(stateMachineArn=machine, input=given)
    return cloud.ended(started["executionArn"])


def test_an_inference_that_ends_well_gives_the_place_of_its_answer(cloud: Cloud) -> None:
    described = run(cloud, "succeed")

    assert described["status"] == "SUCCEEDED"
    assert described["output"] == {"output_location": "[[1, true]]"}


def test_a_failed_inference_is_tried_once_more_under_another_number(cloud: Cloud) -> None:
    described = run(cloud, "ModelUnavailableError", "succeed")

    assert described["output"] == {"output_location": "[[1, true], [2, true]]"}


def test_an_inference_that_fails_twice_fails_the_machine_under_a_name_of_ours(cloud: Cloud) -> None:
    described = run(cloud, "ModelUnavailableError", "ModelUnavailableError")

    assert (described["status"], described["error"]) == ("FAILED", "ModelUnavailableError")
    assert described["cause"] == "the endpoint said so"


def test_a_start_that_breaks_is_tried_again_as_the_same_attempt(cloud: Cloud) -> None:
    described = run(cloud, "break", "succeed")

    assert described["output"] == {"output_location": "[[1, true], [1, true]]"}


def test_no_inference_is_started_a_fourth_time_whatever_failed_before(cloud: Cloud) -> None:
    described = run(cloud, "break", "ModelUnavailableError", "break", "succeed")

    assert (described["status"], described["error"]) == ("FAILED", "StoreUnavailableError")


def test_an_error_that_no_retry_mends_fails_the_machine_at_once(cloud: Cloud) -> None:
    described = run(cloud, "PlinthError")

    assert (described["status"], described["error"]) == ("FAILED", "PlinthError")


def test_a_message_that_never_comes_is_a_silent_model(cloud: Cloud) -> None:
    began = time.monotonic()
    described = run(cloud, "silence", seconds=1)

    assert (described["status"], described["error"]) == ("FAILED", "ModelSilentError")
    assert time.monotonic() - began < 10
