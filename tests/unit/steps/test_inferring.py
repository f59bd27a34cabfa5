"""A long inference: asked for once, ended once, and its end told to the state that waits."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.finish_inference.handler import finish_inference
from functions.start_inference.handler import start_inference
from plinth.errors import StoreUnavailableError
from plinth.runtime import step
from plinth.runtime.inferences import inference_id
from plinth.wiring import Services
from tests.fakes.inferences import FakeCallbacks, FakeInferences, FakePendingInferences
from tests.unit.steps.conftest import CONTEXT

EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:Infer:one"
OUTPUT = "s3://work/inferences/answer.out"
SUCCESS = {"result": {"output_location": OUTPUT}}
FAILURE = "ModelUnavailableError"


@dataclass
class World:
    """The two functions over fakes."""

    inferences: FakeInferences = field(default_factory=FakeInferences)
    pending_inferences: FakePendingInferences = field(default_factory=FakePendingInferences)
    callbacks: FakeCallbacks = field(default_factory=FakeCallbacks)

    @property
    def services(self) -> Services:
        services = Services()
        services.inferences = self.inferences
        services.pending_inferences = self.pending_inferences
        services.callbacks = self.callbacks
        return services

    def start(self, token: str, *, attempt: int = 1) -> bool:
        event = {
            "tenant": {"id": "acme"},
            "body": {"messages": []},
            "execution": EXECUTION,
            "attempt": attempt,
            "task_token": token,
        }
        answer = step(start_inference, services=self.services)(event, CONTEXT)
        return bool(answer["result"]["queued"])

    def finish(self, status: str = "Completed", *, attempt: int = 1) -> None:
        self.publish(notice(inference_id(EXECUTION, attempt), status))

    def publish(self, event: dict[str, Any]) -> int:
        """Hand an event to the function; return how many machines it told."""
        answer = step(finish_inference, services=self.services)(event, CONTEXT)
        told: int = answer["result"]["told"]
        return told


def notice(name: str, status: str) -> dict[str, Any]:
    """Return what SNS hands to a function, in the shape of SageMaker's message."""
    message = {
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-23T12:00:01.000Z",
        "receivedTime": "2026-11-23T12:00:00.000Z",
        "invocationStatus": status,
        "requestParameters": {"contentType": "application/json", "endpointName": "long", "inputLocation": "s3://a/b"},
        "inferenceId": name,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    if status == "Completed":
        message["responseParameters"] = {"contentType": "application/json", "outputLocation": OUTPUT}
    else:
        message["failureReason"] = "ClientError: Received client error (400) from model."
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": json.dumps(message)}}]}


@pytest.fixture
def world() -> World:
    return World()


def test_an_inference_that_ends_well_gives_its_state_the_place_of_the_answer(world: World) -> None:
    assert world.start("token-1")
    world.finish()

    assert world.callbacks.told == {"token-1": SUCCESS}


def test_an_inference_that_fails_fails_its_state_under_a_name_that_machines_know(world: World) -> None:
    world.start("token-1")
    world.finish("Failed")

    assert world.callbacks.told == {"token-1": FAILURE}


def test_a_name_fits_into_what_sagemaker_takes_and_is_another_for_another_attempt() -> None:
    names = {inference_id(EXECUTION, 1), inference_id(EXECUTION, 2), inference_id(EXECUTION + "x", 1)}

    assert len(names) == 3
    assert all(len(name) <= 64 for name in names)


def test_a_start_that_is_tried_again_asks_for_no_second_inference_and_its_new_token_is_told(world: World) -> None:
    world.start("token-1")
    world.callbacks.gone.add("token-1")

    assert not world.start("token-2")
    world.finish()

    assert len(world.inferences.queued) == 1
    assert world.callbacks.told == {"token-2": SUCCESS}


def test_a_start_that_is_tried_again_after_the_end_is_told_at_once(world: World) -> None:
    world.start("token-1")
    world.callbacks.gone.add("token-1")
    world.finish()

    assert not world.start("token-2")

    assert world.callbacks.told == {"token-2": SUCCESS}


def test_a_start_that_broke_before_the_queue_took_it_asks_again(world: World) -> None:
    world.inferences.broken_by = StoreUnavailableError("SageMaker answered ThrottlingException")
    with pytest.raises(StoreUnavailableError):
        world.start("token-1")
    world.inferences.broken_by = None

    assert world.start("token-2")


def test_the_next_attempt_is_another_inference(world: World) -> None:
    world.start("token-1")
    world.finish("Failed")

    assert world.start("token-2", attempt=2)
    world.finish("Failed")  # the first attempt's message comes once more
    world.finish(attempt=2)

    assert world.callbacks.told == {"token-1": FAILURE, "token-2": SUCCESS}


@pytest.mark.parametrize("second", ["Completed", "Failed"])
def test_the_first_end_of_an_inference_stays(world: World, second: str) -> None:
    world.start("token-1")
    world.finish()
    world.finish(second)

    assert not world.start("token-2")

    assert world.callbacks.told == {"token-1": SUCCESS, "token-2": SUCCESS}


def test_a_message_after_the_timeout_has_no_effect(world: World) -> None:
    world.start("token-1")
    world.callbacks.gone.add("token-1")

    world.finish()

    assert world.callbacks.told == {}


def test_a_message_about_an_unknown_inference_has_no_effect(world: World) -> None:
    assert world.publish(notice("somebody-elses", "Completed")) == 0

    assert world.callbacks.told == {}


def test_a_completed_inference_without_an_answer_is_a_failure(world: World) -> None:
    world.start("token-1")
    event = notice(inference_id(EXECUTION, 1), "Failed")
    sns = event["Records"][0]["Sns"]
    sns["Message"] = sns["Message"].replace('"Failed"', '"Completed"')

    assert world.publish(event) == 1

    assert world.callbacks.told == {"token-1": FAILURE}


def test_the_end_of_an_inference_is_logged_as_one_line_that_holds_nothing_of_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.start("token-1")
    world.finish()

    (line,) = (vars(record) for record in caplog.records if record.name == "FinishInference")
    assert (line["outcome"], line["request_id"]) == ("ok", "request-1")
    assert OUTPUT not in str(line)
