"""A self-hosted endpoint that is scaled to zero: what a caller sees while it wakes, fails to, or takes and is silent.

(a) `WakingEndpoint(clock)` wakes five minutes after its first call; until then calls fail with `ModelWakingError`.
(b) `WakingEndpoint(clock, while_waking=ModelUnavailableError)` fails in another way while it wakes.
(c) `WakingEndpoint(clock, wakes_after_seconds=NEVER)` gets no capacity.
(d) `WakingEndpoint(clock, wakes_after_seconds=0, answer=None)` takes a request and never answers.
"""

import math
from collections.abc import Callable, Iterator

from plinth.contracts.models import ModelEnd, ModelRequest, StopReason, StreamItem, TextChunk, Usage
from plinth.errors import ModelError, ModelSilentError, ModelWakingError
from tests.fakes.clock import FakeClock

NEVER = math.inf
WAKES_AFTER_SECONDS = 300.0
USAGE = Usage(input_tokens=100, output_tokens=20)


class WakingEndpoint:
    """`LanguageModel` of one endpoint on a clock of the test's own. A silent call takes its whole first-word limit."""

    def __init__(
        self,
        clock: FakeClock,
        *,
        wakes_after_seconds: float = WAKES_AFTER_SECONDS,
        while_waking: Callable[[str], ModelError] = ModelWakingError,
        answer: str | None = "Self-hosted.",
    ) -> None:
        self._clock = clock
        self._wakes_after_seconds = wakes_after_seconds
        self._while_waking = while_waking
        self._answer = answer
        self.called_at: list[float] = []

    @property
    def awake(self) -> bool:
        """Whether a copy runs: only a call makes one start."""
        return bool(self.called_at) and self._clock.now() >= self.called_at[0] + self._wakes_after_seconds

    def stream(self, request: ModelRequest) -> Iterator[StreamItem]:
        self.called_at.append(self._clock.now())
        if not self.awake:
            raise self._while_waking("the endpoint runs no copy yet")
        if self._answer is None:
            self._clock.advance(min(request.limits.first_seconds, request.limits.total_seconds))
            raise ModelSilentError("the endpoint took the request and said nothing")
        yield TextChunk(text=self._answer)
        yield ModelEnd(stop_reason=StopReason.END, usage=USAGE)
