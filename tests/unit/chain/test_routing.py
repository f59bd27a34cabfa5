"""Which model is asked after a failure, and when."""

import pytest

from plinth import errors
from plinth.chain.catalogue import ALWAYS, Route, RouteStep
from plinth.chain.executions import ENDING_SECONDS
from plinth.chain.routing import MAX_ATTEMPTS, NextCall, after_failure, in_order, route_of
from plinth.contracts.runs import RunRequest
from plinth.errors import ModelBusyError, ModelError

FIRST, SECOND = "claude-haiku-5-5", "claude-haiku-4-5"
BOTH = (RouteStep(model=FIRST), RouteStep(model=SECOND))
FAILURES = [
    kind("it failed")
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ModelError) and kind is not ModelError
]
AGAIN = {
    "model_busy": 2.0,
    "model_waking": 60.0,
    "breaker_open": 2.0,
    "model_unavailable": 2.0,
    "model_silent": 2.0,
    "model_stream_cut": 2.0,
    "model_reply_invalid": 2.0,
    "model_key_refused": 0.0,
}


def after(error: ModelError, steps: tuple[RouteStep, ...] = BOTH, **changes: float) -> NextCall | None:
    place = {"position": 0, "attempt": 1, "seconds_left": 200.0, **changes}
    return after_failure(
        error,
        steps,
        position=int(place["position"]),
        attempt=int(place["attempt"]),
        seconds_left=place["seconds_left"],
    )


def asked(model: str, *models: str) -> RunRequest:
    return RunRequest(question="Is it?", model=model, user="ann", models=models)


ENDS = {"model_request_refused", "cancelled"}
"""What no other model can do better, and what nobody wants any more."""


@pytest.mark.parametrize("error", [each for each in FAILURES if each.reason not in ENDS], ids=repr)
def test_every_failure_but_those_that_end_a_run_moves_on_at_once(error: ModelError) -> None:
    assert after(error) == NextCall(position=1, wait_seconds=0.0)


@pytest.mark.parametrize("error", FAILURES, ids=repr)
def test_at_the_end_of_a_route_only_what_may_pass_is_tried_again(error: ModelError) -> None:
    wait = AGAIN.get(error.reason)

    assert after(error, position=1) == (None if wait is None else NextCall(position=1, wait_seconds=wait))


def test_a_route_moves_on_for_its_own_reasons_only() -> None:
    steps = (RouteStep(model=FIRST, move_on=("model_busy",)), RouteStep(model=SECOND))

    assert after(ModelBusyError("busy", 9.0), steps) == NextCall(position=1, wait_seconds=0.0)
    assert after(errors.ModelSilentError("silent"), steps) == NextCall(position=0, wait_seconds=2.0)


def test_the_provider_s_wish_is_honoured_to_the_deadline_and_no_further() -> None:
    just_fits = 200.0 - ENDING_SECONDS - 5.0

    assert after(ModelBusyError("busy", just_fits), position=1) == NextCall(position=1, wait_seconds=just_fits)
    assert after(ModelBusyError("busy", just_fits + 0.001), position=1) is None


def test_waits_double_from_attempt_to_attempt() -> None:
    error = errors.ModelUnavailableError("down")

    waits = [following.wait_seconds for attempt in (1, 2) if (following := after(error, position=1, attempt=attempt))]

    assert waits == [2.0, 4.0]


@pytest.mark.parametrize("error", FAILURES, ids=repr)
def test_no_turn_makes_a_fourth_call_on_any_model(error: ModelError) -> None:
    assert after(error, attempt=MAX_ATTEMPTS) is None


def test_no_model_is_asked_when_only_the_time_to_end_is_left() -> None:
    assert after(ModelBusyError("busy"), seconds_left=ENDING_SECONDS + 4.9) is None


@pytest.mark.parametrize("attempt", range(1, MAX_ATTEMPTS))
def test_the_key_of_a_route_s_last_model_is_read_again_at_once_whatever_failed_before_it(attempt: int) -> None:
    error = errors.ModelKeyRefusedError("wrong")

    assert after(error, position=1, attempt=attempt) == NextCall(position=1, wait_seconds=0.0)


def test_every_other_reason_of_a_failure_can_be_named_in_a_route() -> None:
    assert {each.reason for each in FAILURES} - set(ALWAYS) == ENDS


def test_a_conversation_stays_with_the_model_that_answered_it_last() -> None:
    sticky = Route(name="fast", steps=BOTH)
    loose = Route(name="loose", steps=BOTH, sticky=False)

    assert [step.model for step in in_order(sticky, last_model=SECOND)] == [SECOND, FIRST]
    assert [step.model for step in in_order(sticky, last_model="gone")] == [FIRST, SECOND]
    assert [step.model for step in in_order(loose, last_model=SECOND)] == [FIRST, SECOND]


def test_a_route_holds_the_models_that_the_tier_may_use_in_its_own_order() -> None:
    names = [step.model for step in route_of(asked("fast", SECOND, FIRST)).steps]

    assert names == [FIRST, SECOND]


def test_a_model_is_a_route_of_its_own() -> None:
    assert [step.model for step in route_of(asked(FIRST, FIRST)).steps] == [FIRST]
    assert [step.model for step in route_of(asked(FIRST)).steps] == [FIRST]
