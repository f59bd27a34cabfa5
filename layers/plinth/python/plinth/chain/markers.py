"""Which passage a marker names: a small model says the right thing and then any number, mostly that of the first.

So the words since the last marker are looked up in every passage, and a marker whose passage lacks more of them than
another does, or has none of them where another has all, is moved to that one while the text streams. A marker before
its words stays as it is.
"""

import re
from collections.abc import Sequence

from plinth.contracts.memory import StoredPassage
from plinth.memory.mentions import missing_words

_MARKER = re.compile(r"\[(\d{1,3})\]")
_UNDECIDED = re.compile(r"\[\d{0,3}\Z")
_LEAST_WORDS = 2
"""How many words more a passage must lack."""


class MarkerFilter:
    """Lets text through in pieces, each marker `[n]` naming a passage that holds what was said before it."""

    def __init__(self, passages: Sequence[StoredPassage]) -> None:
        self._passages = passages
        self._said = ""
        self._held = ""

    def take(self, text: str) -> str:
        """Return what may be shown so far; a marker that is not whole yet waits for its rest."""
        text = self._held + text
        undecided = _UNDECIDED.search(text)
        self._held = undecided[0] if undecided else ""
        said, *marked = _MARKER.split(text.removesuffix(self._held))
        shown = [said]
        self._said += said
        for number, said in zip(marked[::2], marked[1::2], strict=True):
            shown += [f"[{self._moved(int(number))}]", said]
            self._said = said
        return "".join(shown)

    def end(self) -> str:
        """Return what was held back: the beginning of a marker that never became one."""
        return self._held

    def _moved(self, number: int) -> int:
        if not 1 <= number <= len(self._passages):
            return number
        lacking = [len(missing_words([passage], self._said)) for passage in self._passages]
        cited, least = lacking[number - 1], min(lacking)
        lacks_all = least == 0 < cited == len(missing_words([], self._said))
        return lacking.index(least) + 1 if lacks_all or cited >= least + _LEAST_WORDS else number
