"""When a model's text is written to the log."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest

from plinth.contracts.events import Event, StepEnded, TextDelta
from plinth.contracts.models import StreamItem, TextChunk, Working
from plinth.contracts.runs import Run, RunRequest
from plinth.contracts.tenant import Tenant
from plinth.errors import ModelStreamCutError, StoreUnavailableError
from plinth.runtime.streaming import FIRST_INTERVAL_SECONDS, TextStream
from tests.fakes.clock import FakeClock
from tests.fakes.models import whole
from tests.fakes.runs import FakeRunLog, FakeRuns

STEP = StepEnded(step="BuildPrompt", started_at=1.0, duration_ms=2.0)


class FailingLog(FakeRunLog):
    """A log whose every write fails."""

    def append(self, run: Run, events: Sequence[Event]) -> int:
        raise StoreUnavailableError("throttled")


@pytest.mark.guarantee_f
def test_a_log_that_fails_at_the_end_of_the_answer_does_not_lose_its_bill() -> None:
    clock = FakeClock()
    run = Run(id="run_1", tenant=Tenant(id="acme"), epoch=1, deadline=clock.now() + 270)
    stream = TextStream(run=run, attempt=2, because="model_busy", log=FailingLog(FakeRuns(clock)), clock=clock)

    with pytest.raises(ModelStreamCutError) as cut:
        stream.copy([whole()], [])

    assert cut.value.usage == whole().usage


@pytest.mark.parametrize("thoughts", [0, 1, 20])
def test_the_first_text_is_written_at_once_however_long_the_model_worked_before_it(thoughts: int) -> None:
    clock = FakeClock()
    runs = FakeRuns(clock)
    log = FakeRunLog(runs)
    run = Run(id="run_1", tenant=Tenant(id="acme"), epoch=1, deadline=clock.now() + 270)
    runs.accept(run, RunRequest(question="Is it?", model="m", user="ann"), None)
    seen: list[list[object]] = []

    def stream() -> Iterator[StreamItem]:
        for _ in range(thoughts):
            clock.advance(0.05)
            yield Working()
        for text in ("Yes", ", it is", "."):
            yield TextChunk(text=text)
            seen.append([entry.event for entry in log.read(run.tenant, run.id, after=1)])
            clock.advance(FIRST_INTERVAL_SECONDS * 0.6)
        yield whole()

    TextStream(run=run, attempt=1, because="", log=log, clock=clock).copy(stream(), [STEP])

    first = [STEP, TextDelta(text="Yes", attempt=1, offset=0)]
    assert seen == [first, first, [*first, TextDelta(text=", it is.", attempt=1, offset=3)]]


def test_batches_of_text_grow_from_a_tenth_to_half_a_second_apart() -> None:
    clock = FakeClock()
    runs = FakeRuns(clock)
    log = FakeRunLog(runs)
    run = Run(id="run_1", tenant=Tenant(id="acme"), epoch=1, deadline=clock.now() + 270)
    runs.accept(run, RunRequest(question="Is it?", model="m", user="ann"), None)

    def stream() -> Iterator[StreamItem]:
        for _ in range(400):
            yield TextChunk(text="x")
            clock.advance(0.01)
        yield whole()

    TextStream(run=run, attempt=1, because="", log=log, clock=clock).copy(stream(), [])

    written = [entry.at for entry in log.read(run.tenant, run.id, after=1)]
    gaps = [round(later - earlier, 2) for earlier, later in pairwise(written[:-1])]  # the last ends the text
    assert gaps[:3] == pytest.approx([0.1, 0.15, 0.225], abs=0.02)
    assert max(gaps) == pytest.approx(0.5, abs=0.02)
    assert all(later >= earlier - 0.011 for earlier, later in pairwise(gaps))
