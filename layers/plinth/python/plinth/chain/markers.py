"""What a marker is, and which passage it names: a small model says the right thing and then any number.

So what a line says before its first marker, and the sentence before each other, is looked up in every passage, and a
marker whose passage lacks more of the words than another does, or has none of them where another has all, is moved to
that one while the text streams. A marker before its words stays as it is, and so does all that stands in code: between
backticks, within a line, or fences.
"""

import re
from collections.abc import Sequence

from plinth.contracts.memory import StoredPassage
from plinth.memory.mentions import missing_words

MARKERS = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
"""One number, or several."""
_MARKER = re.compile(r"\[(\d{1,3})\]")
_UNDECIDED = re.compile(r"\[\d{0,3}\Z")
_CODE = re.compile(r"(`{3,}|~{3,}).*?(?:\1|\Z)|(`+)[^\n]*?\2", re.DOTALL)
_SENTENCE_END = re.compile(r"[.!?:]\s+(?=\S)")
_WORD = re.compile(r"\w{3}")
_LEAST_WORDS = 2
"""How many words more a passage must lack."""


def without_code(text: str) -> str:
    """Return the text with a backtick in place of what certainly is code; an open fence runs to the end."""
    return _CODE.sub("`", text)


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
            self._said += f"[{number}]{said}"
        return "".join(shown)

    def end(self) -> str:
        """Return what was held back: the beginning of a marker that never became one."""
        return self._held

    def _moved(self, number: int) -> int:
        if not 1 <= number <= len(self._passages):
            return number
        judged = self._judged()
        lacking = [len(missing_words([passage], judged)) for passage in self._passages]
        cited, least = lacking[number - 1], min(lacking)
        lacks_all = least == 0 < cited == len(missing_words([], judged))
        return lacking.index(least) + 1 if lacks_all or cited >= least + _LEAST_WORDS else number

    def _judged(self) -> str:
        """Return what a marker here is judged by: nothing in code, nor where the line's markers precede their words."""
        if "\0" not in without_code(f"{self._said}\0``"):
            return ""
        before_any, *after = MARKERS.split(self._said.rpartition("\n")[2])
        if not _WORD.search(before_any.rpartition(":")[2]):
            return ""
        return _SENTENCE_END.split(after[-1])[-1] if after else before_any
