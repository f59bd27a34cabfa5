"""What every language model promises about time and connections: nothing hangs, and nobody talks to a dead line."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from plinth.contracts.models import StopReason, TextChunk, TimeLimits, Working
from plinth.errors import ModelBusyError, ModelError, ModelReplyInvalidError, ModelSilentError, ModelUnavailableError
from tests.contract.models.worlds import LIMITS, World, Worlds, ask, end_of, failure_of
from tests.fakes.providers import Fault, Script, failing
from tests.fakes.providers.scripts import ADDING, USAGE, FaultKind

SOON = TimeLimits(total_seconds=2.0, first_seconds=0.2, stall_seconds=0.2)


@pytest.mark.guarantee_f
@pytest.mark.parametrize("kind", ["silent", "slow_first", "stall", "drip"])
def test_a_model_that_falls_silent_ends_in_its_time_and_is_hung_up_on(served: World, kind: FaultKind) -> None:
    model = served.play(failing(kind, at=4, seconds=20))
    started = time.monotonic()

    error = failure_of(model, ask(limits=SOON))

    assert type(error) is ModelSilentError
    assert time.monotonic() - started < 10
    if kind not in ("silent", "slow_first"):
        assert _left(served)


@pytest.mark.guarantee_f
@pytest.mark.parametrize(("status", "expected"), [(429, ModelBusyError), (500, ModelUnavailableError)])
@pytest.mark.parametrize("name", ["anthropic", "anthropic_aws", "openai", "sagemaker_openai"])
def test_a_refusal_whose_body_stalls_is_what_its_status_says(
    name: str, status: int, expected: type[ModelError], worlds: Worlds
) -> None:
    made = worlds.of(name)
    fault = Fault(kind="status_stall", status=status, retry_after="7", seconds=20)
    started = time.monotonic()

    error = failure_of(made.play(Script(fault=fault)), ask())

    assert type(error) is expected
    assert not isinstance(error, ModelBusyError) or error.retry_after_seconds == 7.0
    assert time.monotonic() - started < 10
    assert _left(made)


@pytest.mark.guarantee_f
@pytest.mark.parametrize("name", ["anthropic", "anthropic_aws", "openai", "sagemaker_openai"])
def test_a_refusal_is_read_no_further_than_a_refusal_can_be_long(name: str, worlds: Worlds) -> None:
    made = worlds.of(name)

    error = failure_of(made.play(Script(fault=Fault(kind="status", status=429, at=20_000_000))), ask())

    assert type(error) is ModelBusyError
    assert _left(made)


@pytest.mark.guarantee_f
def test_a_whole_answer_is_handed_out_though_its_provider_holds_the_connection(served: World) -> None:
    model = served.play(failing("linger", seconds=20))
    started = time.monotonic()

    items = list(model.stream(ask(limits=replace(LIMITS, stall_seconds=2.0))))

    assert end_of(items).stop_reason is StopReason.END
    assert time.monotonic() - started < 10
    assert _left(served)


@pytest.mark.guarantee_f
def test_the_total_time_ends_a_model_that_never_stops_talking(served: World) -> None:
    model = served.play(Script(text=("on and on ",) * 60, pause_seconds=0.02))
    started = time.monotonic()

    error = failure_of(model, ask(limits=replace(LIMITS, total_seconds=0.4)))

    assert type(error) is ModelSilentError
    assert time.monotonic() - started < 10
    assert _left(served)


@pytest.mark.guarantee_f
def test_thinking_is_a_sign_of_life(served: World) -> None:
    script = Script(thinking=("Hm. ",) * 20, pause_seconds=0.1)
    limits = replace(LIMITS, total_seconds=20.0, first_seconds=1.5, stall_seconds=1.5)

    items = list(served.play(script).stream(ask(limits=limits)))

    assert items[0] == Working()
    assert end_of(items).stop_reason is StopReason.END


@pytest.mark.guarantee_f
def test_what_ends_a_text_a_tool_call_and_a_message_is_a_sign_of_life(served: World) -> None:
    script = Script(tool_calls=(ADDING,), stop=StopReason.TOOL_USE, pause_seconds=0.5)

    items = list(served.play(script).stream(ask(limits=replace(LIMITS, total_seconds=20.0, stall_seconds=0.9))))

    assert end_of(items).stop_reason is StopReason.TOOL_USE


@pytest.mark.guarantee_f
def test_leaving_a_stream_hangs_up_so_that_the_model_can_stop(served: World) -> None:
    stream = served.play(Script(text=("on and on ",) * 60, pause_seconds=0.02)).stream(ask())
    assert isinstance(next(item for item in stream if isinstance(item, TextChunk)), TextChunk)

    del stream

    assert _left(served)


@pytest.mark.guarantee_f
@pytest.mark.parametrize("kind", ["garbled", "oversized"])
def test_what_is_no_answer_is_hung_up_on_while_its_error_is_still_in_hand(served: World, kind: FaultKind) -> None:
    fault = Fault(kind=kind, at=3 if kind == "garbled" else 200_000)
    model = served.play(Script(text=("on and on ",) * 60, pause_seconds=0.02, fault=fault))

    error = failure_of(model, ask())

    assert type(error) is ModelReplyInvalidError
    assert _left(served)


_BEFORE_LAST = {"anthropic": 7, "anthropic_aws": 7}
"""How many events come before the last one, which adds nothing to the bill; the chat protocol has 6."""


@pytest.mark.guarantee_f
@pytest.mark.parametrize("kind", ["stall", "error_event", "garbled"])
def test_a_bill_that_was_told_is_known_however_the_call_fails(served: World, kind: FaultKind) -> None:
    model = served.play(failing(kind, at=_BEFORE_LAST.get(served.name, 6), seconds=20, code="broken"))

    error = failure_of(model, ask(limits=replace(LIMITS, stall_seconds=1.0) if kind == "stall" else LIMITS))

    assert error.usage == USAGE


@pytest.mark.parametrize("kind", ["stall", "silent"])
def test_no_thread_stays_behind_whether_a_stream_has_begun_or_not(served: World, kind: FaultKind) -> None:
    before = set(threading.enumerate())
    served.provider.books.play(failing(kind, at=4, seconds=20))
    for _ in range(3):
        failure_of(served.model, ask(limits=SOON))

    assert _eventually(lambda: not any(thread.name == "read-model" for thread in set(threading.enumerate()) - before))


def _left(made: World) -> bool:
    return _eventually(lambda: made.provider.books.calls[-1].left)


def _eventually(is_true: Callable[[], bool]) -> bool:
    for _ in range(150):
        if is_true():
            return True
        time.sleep(0.01)
    return False
