"""How a model's text is changed while it streams: piece by piece, some of it held back until more is known."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from plinth.contracts.models import ModelEnd, StreamItem, TextChunk, Working


class TextFilter(Protocol):
    """Lets text through in pieces, and gives the same whole however it was cut."""

    def take(self, text: str) -> str:
        """Return what may be shown so far."""
        ...

    def end(self) -> str:
        """Return what was held back: nothing comes after it."""
        ...


def filtered(stream: Iterable[StreamItem], changes: TextFilter) -> Iterator[StreamItem]:
    """Yield what a model says, its text as the filter lets it through. Text that waits is a sign of life too."""
    for item in stream:
        if isinstance(item, TextChunk):
            shown = changes.take(item.text)
            yield TextChunk(text=shown) if shown else Working()
            continue
        if isinstance(item, ModelEnd) and (shown := changes.end()):
            yield TextChunk(text=shown)
        yield item
