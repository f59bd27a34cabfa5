"""How long a model may take: to say anything, between two things, and in all; who takes longer is hung up on.

So is a model whose answer nobody wants any more, which is looked for once a second.

A read that blocks can't be ended from its own thread, and one that gets a byte now and then never times out by itself:
a thread reads, and the caller waits for what it reads.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

from plinth.contracts.models import TimeLimits, Usage
from plinth.errors import ModelCancelledError, ModelError, ModelSilentError, ModelUnavailableError

Item = TypeVar("Item")


LOOK_SECONDS = 1.0
"""How often a call is looked at for whether it is cancelled."""


class Call:
    """A call under way, which its caller may abandon while another thread waits for the model's next byte.

    `usage` is the bill once the model told one, so that whoever abandons the call knows it too.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hang_up: Callable[[], None] | None = None
        self.abandoned = False
        self.usage: Usage | None = None

    def tell(self, usage: Usage) -> None:
        """Note the bill."""
        self.usage = usage

    @contextmanager
    def connected(self, hang_up: Callable[[], None]) -> Generator[None]:
        """Let `hang_up` break the connection, from any thread, if the call is abandoned in here."""
        with self._lock:
            self._hang_up = hang_up
            if self.abandoned:
                hang_up()
        try:
            yield
        finally:
            with self._lock:
                self._hang_up = None

    def abandon(self) -> None:
        """Hang up, so that the model stops and the reading thread ends; nobody wants the answer any more."""
        with self._lock:
            self.abandoned = True
            if self._hang_up:
                self._hang_up()


def longest_silence(limits: TimeLimits) -> float:
    """Return for how many seconds a socket may wait, so that no thread waits much longer than the caller."""
    return min(limits.total_seconds, max(limits.first_seconds, limits.stall_seconds))


def within(limits: TimeLimits, read: Callable[[Call], Generator[Item]]) -> Iterator[Item]:
    """Yield what `read` yields and raise what it raises, or `ModelSilentError` once a limit is over.

    `ModelCancelledError` is raised at most about a second after the call was cancelled.

    A `ModelError` carries the bill that the model told before it failed. Every item is a sign of life. Without any
    time `read` is not called: `ModelUnavailableError`. A call that is left early is abandoned at once.
    """
    deadline = time.monotonic() + limits.total_seconds
    if limits.total_seconds <= 0:
        raise ModelUnavailableError("no time was left for the call")
    call, items = Call(), SimpleQueue[Item | Exception | None]()
    threading.Thread(target=_fill, args=(items, read, call), name="read-model", daemon=True).start()
    patience, missed = limits.first_seconds, "the model said nothing"
    watch = _Watch(limits.cancelled)
    try:
        while (item := _next(items, deadline, patience, missed, watch)) is not None:
            if isinstance(item, ModelError):
                item.usage = item.usage or call.usage
            if isinstance(item, Exception):
                raise item
            yield item
            patience, missed = limits.stall_seconds, "the model said nothing more"
    finally:
        call.abandon()


def _fill(items: SimpleQueue[Item | Exception | None], read: Callable[[Call], Generator[Item]], call: Call) -> None:
    """Put every item, then None or the error that ended them."""
    try:
        with closing(read(call)) as reading:
            for item in reading:
                if call.abandoned:
                    return
                items.put(item)
        items.put(None)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller's thread raises it
        items.put(error)


class _Watch:
    """Asks now and then whether the call is cancelled."""

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self._cancelled = cancelled
        self._looked = time.monotonic()

    def cancelled(self) -> bool:
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return False
        self._looked = time.monotonic()
        return self._cancelled()


def _next(
    items: SimpleQueue[Item | Exception | None], deadline: float, patience: float, missed: str, watch: _Watch
) -> Item | Exception | None:
    over = time.monotonic() + patience
    while (left := min(deadline, over) - time.monotonic()) > 0:
        if watch.cancelled():
            return ModelCancelledError("nobody wants the answer any more")
        with suppress(Empty):
            return items.get(timeout=min(left, LOOK_SECONDS))
    if deadline <= over:
        return ModelSilentError("the model had not finished when the time for the call was up")
    return ModelSilentError(f"{missed} for {patience:g} s")
