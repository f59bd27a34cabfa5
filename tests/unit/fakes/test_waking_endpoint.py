"""The simulated endpoint behaves as SageMaker documents an endpoint that is scaled to zero."""

import pytest

from plinth.contracts.models import ModelEnd, ModelRequest, Prompt, TextChunk, TimeLimits
from plinth.errors import ModelSilentError, ModelUnavailableError, ModelWakingError
from tests.fakes.clock import FakeClock
from tests.fakes.waking_endpoint import NEVER, WAKES_AFTER_SECONDS, WakingEndpoint

REQUEST = ModelRequest(
    model="plinth-gpu",
    prompt=Prompt(version="test", system="", messages=()),
    max_output_tokens=10,
    limits=TimeLimits(total_seconds=60, first_seconds=20, stall_seconds=5),
)


def test_the_first_call_wakes_the_endpoint_and_later_ones_are_answered() -> None:
    clock = FakeClock()
    endpoint = WakingEndpoint(clock)
    clock.advance(WAKES_AFTER_SECONDS)  # time alone wakes nothing

    for _ in range(2):
        with pytest.raises(ModelWakingError):
            list(endpoint.stream(REQUEST))
        clock.advance(WAKES_AFTER_SECONDS / 2)

    text, end = endpoint.stream(REQUEST)
    assert text == TextChunk(text="Self-hosted.")
    assert isinstance(end, ModelEnd)
    assert len(endpoint.called_at) == 3


def test_while_it_wakes_it_may_fail_in_another_way() -> None:
    endpoint = WakingEndpoint(FakeClock(), while_waking=ModelUnavailableError)

    with pytest.raises(ModelUnavailableError):
        list(endpoint.stream(REQUEST))


def test_an_endpoint_that_gets_no_capacity_never_wakes() -> None:
    clock = FakeClock()
    endpoint = WakingEndpoint(clock, wakes_after_seconds=NEVER)

    for _ in range(3):
        with pytest.raises(ModelWakingError):
            list(endpoint.stream(REQUEST))
        clock.advance(3600)


def test_a_silent_endpoint_takes_the_whole_time_for_a_first_word() -> None:
    clock = FakeClock()
    began = clock.now()
    endpoint = WakingEndpoint(clock, wakes_after_seconds=0, answer=None)

    with pytest.raises(ModelSilentError):
        list(endpoint.stream(REQUEST))

    assert clock.now() - began == REQUEST.limits.first_seconds
