"""Which model of a route is asked, and what follows a failure: the next model, the same one later, or the end."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from plinth.chain.catalogue import MoveOn, Route, RouteStep, route
from plinth.chain.executions import ENDING_SECONDS
from plinth.contracts.runs import RunRequest
from plinth.errors import ModelBusyError, ModelError, ModelKeyRefusedError, ModelWakingError

MAX_ATTEMPTS = 3
"""Calls of a turn over the whole route. Only the state machine repeats a call, so this is all there is."""

BREAKING = frozenset[MoveOn]({"model_unavailable", "model_silent", "model_stream_cut"})
"""Failures that speak of an ill model, and open its breaker; a busy one is well, and a wrong key is ours."""

_PASSING = BREAKING | {"model_busy", "model_waking", "breaker_open", "model_reply_invalid", "model_key_refused"}
_BACKOFF_SECONDS = 2.0
_SHORTEST_CALL_SECONDS = 5.0  # less is no call: it could not end, and would be charged
_WAKING_SECONDS = 60.0  # an endpoint takes minutes to get its instance: asking sooner only spends attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class NextCall:
    """Ask the route's model number `position`, after `wait_seconds`."""

    position: int
    wait_seconds: float


def route_of(asked: RunRequest) -> Route:
    """Return the run's route with those of its models that the caller's tier may use."""
    whole = route(asked.model)
    if not asked.models:
        return whole
    steps = tuple(step for step in whole.steps if step.model in asked.models)
    return Route(name=whole.name, steps=steps, sticky=whole.sticky)


def estimated_tokens(asked: RunRequest) -> int:
    """Return the tokens that the run is taken to use: its question, the route's passages and its longest answer.

    The question counts its UTF-8 bytes, which no tokenizer exceeds, and passages their characters, of which a token of
    usual text has four. Instructions, memory and repeated calls are not in it: what a run used corrects it.
    """
    return len(asked.question.encode()) + route_of(asked).passage_characters + asked.max_output_tokens


def in_order(asked: Route, *, last_model: str) -> tuple[RouteStep, ...]:
    """Return the steps as they are to be asked: first the one that answered the conversation last, if it sticks."""
    if not asked.sticky:
        return asked.steps
    return tuple(sorted(asked.steps, key=lambda step: step.model != last_model))


def after_failure(
    error: ModelError, steps: Sequence[RouteStep], *, position: int, attempt: int, seconds_left: float
) -> NextCall | None:
    """Return the next call, or None where the failure ends the turn.

    The next model is asked at once. Without one the same is asked again if the failure may pass: when the provider
    wishes, at once where its key is read anew, else after a wait that doubles, and never so late that the run's time is
    over.
    """
    if attempt >= MAX_ATTEMPTS or seconds_left < _SHORTEST_CALL_SECONDS + ENDING_SECONDS:
        return None
    if position + 1 < len(steps) and error.reason in steps[position].move_on:
        return NextCall(position=position + 1, wait_seconds=0.0)
    if error.reason not in _PASSING:
        return None
    seconds = _wait(error, attempt=attempt)
    if math.ceil(seconds) + _SHORTEST_CALL_SECONDS + ENDING_SECONDS > seconds_left:  # the machine waits whole seconds
        return None
    return NextCall(position=position, wait_seconds=seconds)


def _wait(error: ModelError, *, attempt: int) -> float:
    match error:
        case ModelBusyError(retry_after_seconds=float() | int() as wish):
            return wish
        case ModelKeyRefusedError():
            return 0.0
        case ModelWakingError():
            return _WAKING_SECONDS
        case _:
            return _BACKOFF_SECONDS * 2.0 ** (attempt - 1)
