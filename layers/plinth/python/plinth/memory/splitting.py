"""Where a document is cut: into passages that the embedding model reads whole, at paragraph, sentence or word ends.

A block of code stays whole where it fits. A table is cut between rows only, and each part has its header above it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from plinth.contracts.memory import SECTION_BREAK, ParsedDocument, Passage, Section
from plinth.memory.blocks import Span, blocks_of, cut_up, header_of, lines_of
from plinth.ports.models import TokenCounter

PASSAGE_CHARACTERS = 800
MAX_PASSAGES = 5_000
"""Of one document: what one call can embed."""
PLACE_CHARACTERS = 300
_STEP = " > "
_HEADING_MARK = re.compile(r"^ {0,3}#{1,6}(?!\S)|\s#+\s*$|^\s*(?:=+|-+)\s*$|\s", re.MULTILINE)
"""What Markdown writes before, after or below a heading, and white space."""


class _Piece(NamedTuple):
    """What is not cut any more. `header` is the header of the table that it goes on with."""

    span: Span
    tokens: int
    header: str = ""
    header_tokens: int = 0

    def followed_by(self, other: "_Piece") -> "_Piece":
        """Return both as one."""
        span = Span(self.span.start, other.span.end)
        return _Piece(span, self.tokens + other.tokens, self.header, self.header_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """What one passage of a section may hold, what stands above it set aside."""

    text: str
    counter: TokenCounter
    characters: int
    tokens: int

    def counted(self, spans: Iterable[Span]) -> Iterator[_Piece]:
        """Return the spans, each with its tokens; one that is too long in any case is not counted, and has none."""
        listed = list(spans)
        texts = [span.of(self.text) if span.end - span.start <= self.characters else "" for span in listed]
        return map(_Piece, listed, self.counter.count(texts))

    def holds(self, piece: _Piece) -> bool:
        """Tell whether so much fits."""
        header = len(piece.header) + 1 if piece.header else 0
        length = header + piece.span.end - piece.span.start
        return length <= self.characters and piece.header_tokens + piece.tokens <= self.tokens


def split_document(
    document: ParsedDocument, counter: TokenCounter, *, characters: int = PASSAGE_CHARACTERS
) -> tuple[Passage, ...]:
    """Return passages of at most `characters` and the counter's window, in order, none across a page or heading.

    A section that only repeats its heading, or the title, is left out: it would be found and say nothing. In a document
    of such sections only, they are what it says.
    """
    passages: list[Passage] = []
    offset = 0
    bare = [_is_bare(section, document.title) for section in document.sections]
    for section, is_bare in zip(document.sections, bare, strict=True):
        found = () if is_bare and not all(bare) else _passages(document.title, section, counter, characters)
        passages += (
            replace(each, position=at, start=each.start + offset, end=each.end + offset)
            for at, each in enumerate(found, start=len(passages))
        )
        offset += len(section.text) + len(SECTION_BREAK)
    return tuple(passages)


def _passages(title: str, section: Section, counter: TokenCounter, characters: int) -> Iterator[Passage]:
    headings = section.path[1:] if section.path[:1] == (title,) else section.path
    place, place_tokens = _place((title, *headings), counter)
    room = _Room(text=section.text, counter=counter, characters=characters, tokens=counter.window - place_tokens)
    for piece in _packed(_pieces(room), room):
        yield Passage(
            position=0,
            text=piece.span.of(section.text),
            page=section.page,
            heading=_STEP.join(headings)[-PLACE_CHARACTERS:] or None,
            above="\n".join(filter(None, (place, piece.header))),
            start=piece.span.start,
            end=piece.span.end,
            tokens=place_tokens + piece.header_tokens + piece.tokens,
        )


def _place(steps: Sequence[str], counter: TokenCounter) -> tuple[str, int]:
    """Return the line of title and headings with its tokens: of a long one the end, at most half of the window."""
    place = _STEP.join(filter(None, steps))[-PLACE_CHARACTERS:]
    (tokens,) = counter.count([place])
    while tokens > counter.window // 2:
        place = place[len(place) // 2 + 1 :]
        (tokens,) = counter.count([place])
    return place, tokens


def _is_bare(section: Section, title: str) -> bool:
    """Tell whether a section is its own heading only, whatever marks it as one."""
    return _unmarked(section.text) in ("", _unmarked(section.path[-1] if section.path else title))


def _unmarked(text: str) -> str:
    return _HEADING_MARK.sub("", text) if len(text) <= 2 * PLACE_CHARACTERS else text


def _pieces(room: _Room) -> Iterator[_Piece]:
    for block in room.counted(blocks_of(room.text)):
        if room.holds(block):
            yield block
        elif (header := _repeatable_header(block.span, room)) is not None:
            yield from _table_parts(Span(header.span.end, block.span.end), header, room)
        else:
            yield from _cut_to_fit(block, room)


def _repeatable_header(block: Span, room: _Room) -> _Piece | None:
    """Return the header of a table, unless it takes half of a passage."""
    header = header_of(room.text, block)
    if header is None or header.end - header.start >= room.characters // 2:
        return None
    (counted,) = room.counted([header])
    return counted if counted.tokens < room.tokens // 2 else None


def _table_parts(rows: Span, header: _Piece, room: _Room) -> Iterator[_Piece]:
    """Yield rows under their header; the first part has it in its text. A row too long for that is cut like text."""
    told = header.span.of(room.text)
    part: _Piece | None = header
    for row in room.counted(lines_of(room.text, rows)):
        if part and room.holds(grown := part.followed_by(row)):
            part = grown
            continue
        if part:
            yield part
        part = row._replace(header=told, header_tokens=header.tokens)
        if not room.holds(part):
            yield from _cut_to_fit(row, room)
            part = None
    if part:
        yield part


def _cut_to_fit(block: _Piece, room: _Room) -> Iterator[_Piece]:
    """Yield parts that fit: of a block with many tokens to the character, shorter ones."""
    length = block.span.end - block.span.start
    characters = max(1, min(room.characters, length * room.tokens // max(block.tokens, 1)))
    for part in room.counted(cut_up(room.text, block.span, characters=characters)):
        if room.holds(part) or part.span.end - part.span.start == 1:
            yield part
        else:
            yield from _cut_to_fit(part, room)


def _packed(pieces: Iterable[_Piece], room: _Room) -> Iterator[_Piece]:
    """Yield pieces that follow one another as one, as long as it fits; what was cut within a word stays cut."""
    packed: _Piece | None = None
    for piece in pieces:
        if packed:
            within_word = packed.span.end == piece.span.start
            if not within_word and not piece.header and room.holds(grown := packed.followed_by(piece)):
                packed = grown
                continue
            yield packed
        packed = piece
    if packed:
        yield packed
