"""Rules of the time limits of a model call, whatever is being read."""

import threading
import time
from collections.abc import Generator

import pytest

from plinth.adapters.model_deadline import LOOK_SECONDS, Call, within
from plinth.contracts.models import TimeLimits, Usage
from plinth.errors import ModelCancelledError, ModelSilentError, ModelUnavailableError


def limits(total: float = 5.0, *, first: float = 5.0, stall: float = 5.0) -> TimeLimits:
    return TimeLimits(total_seconds=total, first_seconds=first, stall_seconds=stall)


def test_everything_that_is_read_in_time_comes_in_order() -> None:
    def read(_call: Call) -> Generator[int]:
        yield from range(5)

    assert list(within(limits(), read)) == [0, 1, 2, 3, 4]


@pytest.mark.guarantee_f
def test_an_error_that_nobody_foresaw_reaches_the_caller_at_once() -> None:
    def read(_call: Call) -> Generator[int]:
        yield 1
        raise KeyError("odd")

    items = within(limits(), read)

    assert next(items) == 1
    with pytest.raises(KeyError):
        next(items)


@pytest.mark.guarantee_f
def test_a_model_that_never_pauses_is_ended_in_time_and_closed() -> None:
    closed = threading.Event()

    def read(_call: Call) -> Generator[float]:
        try:
            while True:
                time.sleep(0.001)
                yield 0.01
        finally:
            closed.set()

    started = time.monotonic()

    with pytest.raises(ModelSilentError, match="time for the call was up"):
        list(map(time.sleep, within(limits(0.2), read)))

    assert time.monotonic() - started < 10
    assert closed.wait(2)


@pytest.mark.guarantee_f
@pytest.mark.parametrize(
    ("said", "missed"), [(0, "said nothing for 0.1 s"), (2, "said nothing more for 0.2 s")], ids=["first", "stall"]
)
def test_a_silent_model_is_hung_up_on_as_soon_as_its_patience_is_over(said: int, missed: str) -> None:
    hung_up, ended = threading.Event(), threading.Event()

    def read(call: Call) -> Generator[int]:
        with call.connected(hung_up.set):
            yield from range(said)
            assert hung_up.wait(3)
        ended.set()

    with pytest.raises(ModelSilentError, match=missed):
        list(within(limits(first=5.0 if said else 0.1, stall=0.2), read))

    assert ended.wait(1)


@pytest.mark.guarantee_f
def test_a_reader_that_connects_after_it_was_given_up_is_hung_up_on_at_once() -> None:
    call, hung_up = Call(), threading.Event()
    call.abandon()

    with call.connected(hung_up.set):
        assert hung_up.is_set()


def test_a_connection_that_was_given_back_is_not_hung_up_on() -> None:
    call, hung_up = Call(), threading.Event()

    with call.connected(hung_up.set):
        pass
    call.abandon()

    assert not hung_up.is_set()


@pytest.mark.guarantee_f
@pytest.mark.parametrize("seconds", [0.0, -3.0])
def test_a_call_without_any_time_is_not_made(seconds: float) -> None:
    asked = threading.Event()

    def read(_call: Call) -> Generator[int]:
        asked.set()
        yield 1

    with pytest.raises(ModelUnavailableError):
        list(within(limits(seconds), read))

    assert not asked.wait(0.05)


@pytest.mark.guarantee_f
@pytest.mark.parametrize("pause", [0.01, 60.0], ids=["while it writes", "while it is silent"])
def test_a_call_that_nobody_wants_any_more_is_hung_up_on_within_two_looks(pause: float) -> None:
    hung_up, unwanted = threading.Event(), threading.Event()

    def read(call: Call) -> Generator[int]:
        with call.connected(hung_up.set):
            call.tell(Usage(input_tokens=7, output_tokens=1))
            while not hung_up.wait(pause):
                yield 1

    threading.Timer(0.2, unwanted.set).start()
    started = time.monotonic()
    patient = TimeLimits(total_seconds=30, first_seconds=30, stall_seconds=30, cancelled=unwanted.is_set)

    with pytest.raises(ModelCancelledError) as caught:
        list(within(patient, read))

    assert time.monotonic() - started < 2 * LOOK_SECONDS + 0.5
    assert hung_up.wait(1)
    assert caught.value.usage == Usage(input_tokens=7, output_tokens=1)
