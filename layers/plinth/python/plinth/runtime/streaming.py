"""How a model's text reaches the run log: the first text at once, then in batches that grow from 100 to 500 ms."""

from collections.abc import Iterable, Sequence

from plinth.contracts.events import Event, LoggedEvent, Reset, StepEnded, TextDelta
from plinth.contracts.models import ModelEnd, StreamItem, TextChunk
from plinth.contracts.runs import Run
from plinth.errors import ModelStreamCutError, TransientError
from plinth.ports.clock import Clock
from plinth.ports.runs import RunLog

FIRST_INTERVAL_SECONDS = 0.1
LAST_INTERVAL_SECONDS = 0.5
INTERVAL_GROWTH = 1.5


def next_attempt(logged: Iterable[LoggedEvent]) -> int:
    """Return the number of the next attempt at the text: 1, or one more than any that the log has seen."""
    seen = (entry.event.attempt for entry in logged if isinstance(entry.event, TextDelta | Reset))
    return 1 + max(seen, default=0)


class TextStream:
    """Writes one attempt's text to the log. An attempt after the first begins with a `reset` that says `because`.

    Finished steps ride along with the first write: a write costs money.
    """

    def __init__(self, *, run: Run, attempt: int, because: str, log: RunLog, clock: Clock) -> None:
        self._run = run
        self._attempt = attempt
        self._log = log
        self._clock = clock
        self._interval = 0.0
        self._written_at = clock.now()
        self._offset = 0
        self._pending: list[str] = []
        self._first: list[Event] = [Reset(attempt=attempt, reason=because)] if attempt > 1 else []

    def copy(self, stream: Iterable[StreamItem], steps: Sequence[StepEnded]) -> tuple[str, ModelEnd]:
        """Log the text as it comes; return all of it with the model's end, or raise `ModelStreamCutError`.

        A log that fails at the model's end is such a cut, which carries the bill; before it, it raises its own error.
        """
        self._first.extend(steps)
        texts: list[str] = []
        for item in stream:
            if isinstance(item, ModelEnd):
                self._write_last(item)
                return "".join(texts), item
            if isinstance(item, TextChunk):
                texts.append(item.text)
                self._pending.append(item.text)
            if self._pending and self._clock.now() - self._written_at >= self._interval:
                self._write()
        raise ModelStreamCutError("the stream ended without saying why the model stopped")

    def _write_last(self, end: ModelEnd) -> None:
        try:
            self._write()
        except TransientError as error:
            raise ModelStreamCutError("the end of the text could not be logged", usage=end.usage) from error

    def _write(self) -> None:
        text = "".join(self._pending)
        delta = [TextDelta(text=text, attempt=self._attempt, offset=self._offset)] if text else []
        events: list[Event] = [*self._first, *delta]
        if events:
            self._log.append(self._run, events)
        self._offset += len(text)
        self._first, self._pending = [], []
        self._interval = min(max(self._interval * INTERVAL_GROWTH, FIRST_INTERVAL_SECONDS), LAST_INTERVAL_SECONDS)
        self._written_at = self._clock.now()
