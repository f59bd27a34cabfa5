"""Rules of the one time limit of a model call, whatever is being read."""

import threading
import time
from collections.abc import Generator

import pytest

from plinth.adapters.model_deadline import within
from plinth.errors import ModelStreamCutError


def test_everything_that_is_read_in_time_comes_in_order() -> None:
    def read() -> Generator[int]:
        yield from range(5)

    assert list(within(5.0, read)) == [0, 1, 2, 3, 4]


@pytest.mark.guarantee_f
def test_an_error_that_nobody_foresaw_reaches_the_caller_at_once() -> None:
    def read() -> Generator[int]:
        yield 1
        raise KeyError("odd")

    items = within(5.0, read)

    assert next(items) == 1
    with pytest.raises(KeyError):
        next(items)


@pytest.mark.guarantee_f
def test_a_model_that_never_pauses_is_ended_in_time_and_closed() -> None:
    closed = threading.Event()

    def read() -> Generator[float]:
        try:
            while True:
                time.sleep(0.001)
                yield 0.01
        finally:
            closed.set()

    started = time.monotonic()

    with pytest.raises(ModelStreamCutError):
        list(map(time.sleep, within(0.2, read)))

    assert time.monotonic() - started < 1.0
    assert closed.wait(2)
