"""Where a document is cut: into passages short enough to embed, at paragraph, sentence or word ends."""

import re
from collections.abc import Iterable, Iterator

from plinth.contracts.memory import ParsedDocument, Passage

PASSAGE_CHARACTERS = 800
_PARAGRAPH = re.compile(r"\n\s*\n")
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
    for paragraph in _PARAGRAPH.split(text):
        rest = paragraph.strip()
        while len(rest) > characters:
            cut = _cut(rest, characters)
            yield rest[:cut].rstrip()
            rest = rest[cut:].lstrip()
        if rest:
            yield rest


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
