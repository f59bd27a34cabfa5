"""How long a model call may take in all: it is read in a thread, so that its time can end at any moment.

A read that blocks can't be ended from its own thread, and one that gets a byte now and then never times out by itself.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from queue import Empty, SimpleQueue
from typing import TypeVar

from plinth.errors import ModelStreamCutError

Item = TypeVar("Item")


def within(seconds: float, read: Callable[[], Generator[Item]]) -> Iterator[Item]:
    """Yield what `read` yields and raise what it raises, or `ModelStreamCutError` once the time is up.

    Without any time, `read` is not called. One that is left early is closed when it has its next item.
    """
    deadline = time.monotonic() + seconds
    if seconds <= 0:
        raise ModelStreamCutError("no time was left for the call")
    items: SimpleQueue[Item | Exception | None] = SimpleQueue()
    abandoned = threading.Event()
    threading.Thread(target=_fill, args=(items, read, abandoned), daemon=True).start()
    try:
        while (item := _next(items, deadline=deadline)) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        abandoned.set()


def _fill(
    items: SimpleQueue[Item | Exception | None], read: Callable[[], Generator[Item]], abandoned: threading.Event
) -> None:
    """Put every item, then None or the error that ended them."""
    try:
        with closing(read()) as reading:
            for item in reading:
                if abandoned.is_set():
                    return
                items.put(item)
        items.put(None)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller's thread raises it
        items.put(error)


def _next(items: SimpleQueue[Item | Exception | None], *, deadline: float) -> Item | Exception | None:
    left = deadline - time.monotonic()
    try:
        if left > 0:
            return items.get(timeout=left)
    except Empty:
        pass
    return ModelStreamCutError("the model had not finished when the time for the call was up")
