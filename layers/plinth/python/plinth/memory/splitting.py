"""Where a document is cut: into passages short enough to embed, at paragraph, sentence or word ends.

A block of code stays whole where it fits. A table is cut between rows only, and each part begins with its header.
"""

import re
from collections.abc import Iterable, Iterator

from plinth.contracts.memory import ParsedDocument, Passage

PASSAGE_CHARACTERS = 800
_PARAGRAPH = re.compile(r"\n\s*\n")
_CODE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
_RULE = re.compile(r"[\s|:+-]+")
_BOUNDARIES = ("\n\n", "\n", ". ", "? ", "! ", "; ", ", ", " ")


def split_document(document: ParsedDocument, *, characters: int = PASSAGE_CHARACTERS) -> tuple[Passage, ...]:
    """Return passages of at most `characters`, in reading order, none of which crosses a page or a heading.

    A piece that only repeats its heading is left out: it would be found and say nothing.
    """
    pieces = (
        (section, piece)
        for section in document.sections
        for piece in _pack(_pieces(section.text, characters), characters)
        if piece != section.heading
    )
    return tuple(
        Passage(position=position, text=piece, page=section.page, heading=section.heading)
        for position, (section, piece) in enumerate(pieces)
    )


def _pieces(text: str, characters: int) -> Iterator[str]:
    for block in _blocks(text):
        if len(block) <= characters:
            yield block
        elif (header := _header(block)) and len(header) < characters // 2:
            yield from _rows(block[len(header) + 1 :].split("\n"), header, characters)
        else:
            yield from _cut_up(block, characters)


def _blocks(text: str) -> Iterator[str]:
    """Yield the paragraphs, and the blocks of fenced code with their blank lines."""
    end = 0
    for code in _CODE.finditer(text):
        yield from _paragraphs(text[end : code.start()])
        yield code[0]
        end = code.end()
    yield from _paragraphs(text[end:])


def _paragraphs(text: str) -> Iterator[str]:
    return filter(None, map(str.strip, _PARAGRAPH.split(text)))


def _header(block: str) -> str | None:
    """Return a table's first line, with the rule below it where there is one; None for what is no table."""
    lines = block.split("\n")
    if len(lines) < 3 or not all("|" in line for line in lines):
        return None
    return "\n".join(lines[:2]) if _RULE.fullmatch(lines[1]) else lines[0]


def _rows(rows: Iterable[str], header: str, characters: int) -> Iterator[str]:
    """Yield parts of a table, each under its header; a row that is too long for that is cut like any text."""
    part = header
    for row in rows:
        if part != header and len(part) + 1 + len(row) > characters:
            yield part
            part = header
        if len(header) + 1 + len(row) > characters:
            yield from _cut_up(row, characters)
        else:
            part = f"{part}\n{row}"
    if part != header:
        yield part


def _cut_up(text: str, characters: int) -> Iterator[str]:
    while len(text) > characters:
        cut = _cut(text, characters)
        yield text[:cut].rstrip()
        text = text[cut:].lstrip()
    if text:
        yield text


def _cut(text: str, characters: int) -> int:
    """Return where to end a piece: after the last boundary in its second half, the strongest kind first."""
    for boundary in _BOUNDARIES:
        found = text.rfind(boundary, characters // 2, characters - len(boundary) + 1)
        if found != -1:
            return found + len(boundary)
    return characters


def _pack(pieces: Iterable[str], characters: int) -> Iterator[str]:
    packed = ""
    for piece in pieces:
        if packed and len(packed) + 2 + len(piece) > characters:
            yield packed
            packed = piece
        else:
            packed = f"{packed}\n\n{piece}" if packed else piece
    if packed:
        yield packed
