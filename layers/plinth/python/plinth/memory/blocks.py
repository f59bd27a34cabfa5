"""What of a text belongs together: a paragraph, a block of fenced code, a table below its header.

Everything is told as places in the text, in code points; what lies between two places is white space.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_PARAGRAPH = re.compile(r"\S(?:[^\n]*\S)?(?:[^\S\n]*\n[^\S\n]*\S(?:[^\n]*\S)?)*")
_CODE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"[^\n]+")
_VISIBLE = re.compile(r"\S")
_CAPTION = r"\A[^\n|]{1,120}\n"
_ROW = r"[^\n|]*\|[^\n]*"
_TABLE = re.compile(rf"(?:{_CAPTION}|^){_ROW}(?:\n(?:[^\n|]+\n)?{_ROW}){{2,}}+$", re.MULTILINE)
"""In a paragraph: a single line above it says what it is; one without a bar, between two rows, is a row of one cell."""
_HEADER = re.compile(rf"(?:{_CAPTION})?[^\n]+(?:\n[ \t|:+-]+(?=\n))?")
_BOUNDARIES = ("\n\n", "\n", ". ", "? ", "! ", "; ", ", ", " ")


class Span(NamedTuple):
    """From where to where a text is meant."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """Return what lies there."""
        return text[self.start : self.end]


def blocks_of(text: str) -> Iterator[Span]:
    """Yield the paragraphs, the tables in them apart, and the blocks of fenced code with their empty lines."""
    end = 0
    for code in _CODE.finditer(text):
        yield from _paragraphs(text, Span(end, code.start()))
        yield Span(*code.span())
        end = code.end()
    yield from _paragraphs(text, Span(end, len(text)))


def header_of(text: str, block: Span) -> Span | None:
    """Return a table's first line, with the caption above and the rule below it, if any; None for what is no table."""
    told = block.of(text)
    header = _HEADER.match(told) if _TABLE.fullmatch(told) else None
    return Span(block.start, block.start + header.end()) if header else None


def lines_of(text: str, block: Span) -> Iterator[Span]:
    """Yield the lines that say something."""
    lines = (stripped(text, Span(*line.span())) for line in _LINE.finditer(text, block.start, block.end))
    return (line for line in lines if line.start < line.end)


def cut_up(text: str, block: Span, *, characters: int) -> Iterator[Span]:
    """Yield parts of at most so many characters, each cut after the strongest boundary in its second half."""
    start = block.start
    while block.end - start > characters:
        cut = _cut(text, Span(start, start + characters))
        yield stripped(text, Span(start, cut))
        following = _VISIBLE.search(text, cut, block.end)
        start = following.start() if following else block.end
    if start < block.end:
        yield Span(start, block.end)


def stripped(text: str, span: Span) -> Span:
    """Return the span without white space at its ends."""
    inner = span.of(text)
    end = span.start + len(inner.rstrip())
    return Span(min(end, span.end - len(inner.lstrip())), end)


def _paragraphs(text: str, part: Span) -> Iterator[Span]:
    for paragraph in _PARAGRAPH.finditer(text, part.start, part.end):
        span = Span(*paragraph.span())
        yield from _tables_apart(text, span) if text.find("|", *span) != -1 else (span,)


def _tables_apart(text: str, paragraph: Span) -> Iterator[Span]:
    end = paragraph.start
    for table in _TABLE.finditer(paragraph.of(text)):
        start, following = (paragraph.start + at for at in table.span())
        yield from _visible(text, Span(end, start))
        yield from _visible(text, Span(start, following))
        end = following
    yield from _visible(text, Span(end, paragraph.end))


def _visible(text: str, span: Span) -> Iterator[Span]:
    if (inner := stripped(text, span)).start < inner.end:
        yield inner


def _cut(text: str, part: Span) -> int:
    middle = (part.start + part.end) // 2
    for boundary in _BOUNDARIES:
        found = text.rfind(boundary, middle, part.end)
        if found != -1:
            return found + len(boundary)
    return part.end
