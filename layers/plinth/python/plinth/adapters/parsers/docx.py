"""DOCX: one section per heading, with lists and tables, read by an XML reader that knows no entities.

Source: ECMA-376 part 1, WordprocessingML. Sizes are checked before and while a part is unpacked: a header may lie.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

from plinth.adapters.parsers.outline import Outline
from plinth.adapters.parsers.text import title_from_name
from plinth.contracts.memory import ParsedDocument, Section
from plinth.errors import DocumentRefusedError

MAX_ENTRIES = 2_000
MAX_PART_BYTES = 100_000_000
MAX_RATIO = 200
"""Text of a real document shrinks to a tenth; what shrinks to less than a two-hundredth was made to."""
MAX_DEPTH = 200
_SMALL = 1_000_000
_BLOCK = 1 << 16
_ENCRYPTED = 0x1
_IS_LAST = (True,)  # expat takes it by position only
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main "
_HEADING = re.compile(r"(?:heading|title) ?([1-9])?", re.IGNORECASE)


def parse_docx(name: str, body: bytes) -> ParsedDocument:
    """Return a section per heading; the first heading is the title, or else the name."""
    try:
        with ZipFile(BytesIO(body)) as archive:
            parts = {part.filename: part for part in archive.infolist()}
            _check(parts)
            styles = _Styles()
            if "word/styles.xml" in parts:
                _read(archive, parts["word/styles.xml"], styles.start, styles.end, styles.text)
            content = _Content(styles.headings)
            _read(archive, parts["word/document.xml"], content.start, content.end, content.text)
    except (BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        raise DocumentRefusedError("unreadable_docx", f"the archive is damaged ({error}); save it again") from error
    except expat.ExpatError as error:
        raise DocumentRefusedError("unreadable_docx", f"its XML is damaged ({error}); save it again") from error
    sections = content.ended()
    heading = next((section.path[0] for section in sections if section.path), None)
    return ParsedDocument(title=heading or title_from_name(name), sections=sections)


def _heading_level(style: str) -> int | None:
    """Return the level of a heading's style, by its name in English; 0 is the title's. None for any other style."""
    found = _HEADING.fullmatch(style)
    return int(found[1] or 0) if found else None


def _check(parts: dict[str, ZipInfo]) -> None:
    if "word/document.xml" not in parts:
        raise DocumentRefusedError("unreadable_docx", "the archive holds no Word document; save it as .docx again")
    if len(parts) > MAX_ENTRIES:
        raise DocumentRefusedError("bomb", f"the archive holds {len(parts)} files; at most {MAX_ENTRIES} are read")


def _read(
    archive: ZipFile,
    part: ZipInfo,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    text: Callable[[str], None],
) -> None:
    if part.flag_bits & _ENCRYPTED:
        raise DocumentRefusedError("encrypted", "the document is locked; save it without a password")
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse_type
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.buffer_text = True
    unpacked = 0
    with archive.open(part) as stream:
        while block := stream.read(_BLOCK):
            unpacked += len(block)
            if unpacked > MAX_PART_BYTES or unpacked > max(_SMALL, MAX_RATIO * part.compress_size):
                raise DocumentRefusedError("bomb", f"{part.filename} unpacks to far more than it may; save it again")
            parser.Parse(block)
    parser.Parse(b"", *_IS_LAST)


def _refuse_type(*_: object) -> None:
    raise DocumentRefusedError("bomb", "its XML declares a document type, which no Word document does; save it again")


@dataclass
class _Styles:
    """Which styles are headings and of which level, by id: the ids differ by language, the names don't."""

    headings: dict[str, int] = field(default_factory=dict[str, int])
    _style: str = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == _W + "style":
            self._style = attributes.get(_W + "styleId", "")
        elif tag == _W + "name" and (level := _heading_level(attributes.get(_W + "val", ""))) is not None:
            self.headings[self._style] = level

    def end(self, tag: str) -> None:
        """Nothing ends here that matters."""

    def text(self, text: str) -> None:
        """Styles hold no text."""


@dataclass
class _Content:
    """The document's text as its elements come: paragraphs, list items, rows with cells, and sections by heading."""

    headings: dict[str, int]
    depth: int = 0
    outline: Outline = field(default_factory=Outline)
    path: tuple[str, ...] = ()
    blocks: list[str] = field(default_factory=list[str])
    rows: list[str] = field(default_factory=list[str])
    cells: list[list[str]] = field(default_factory=list[list[str]])
    tables: int = 0
    words: list[str] = field(default_factory=list[str])
    takes_text: bool = False
    level: int | None = None
    is_item: bool = False
    sections: list[Section] = field(default_factory=list[Section])

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise DocumentRefusedError("too_deep", f"its elements are nested over {MAX_DEPTH} deep; save it again")
        match tag.removeprefix(_W):
            case "p":
                self.words, self.level, self.is_item = [], None, False
            case "pStyle":
                style = attributes.get(_W + "val", "")
                self.level = self.headings.get(style, _heading_level(style))
            case "numPr":
                self.is_item = True
            case "t":
                self.takes_text = True
            case "tab":
                self.words.append(" ")
            case "br" | "cr":
                self.words.append("\n")
            case "tbl":
                self.tables += 1
            case "tc":
                self.cells.append([])
            case _:
                pass

    def end(self, tag: str) -> None:
        self.depth -= 1
        match tag.removeprefix(_W):
            case "t":
                self.takes_text = False
            case "p":
                self._end_paragraph()
            case "tr" if self.tables == 1:
                self.rows.append(" | ".join(" ".join(cell) for cell in self.cells))
                self.cells = []
            case "tbl":
                self.tables -= 1
                if not self.tables:
                    self._add("\n".join(self.rows))
                    self.rows = []
            case _:
                pass

    def text(self, text: str) -> None:
        if self.takes_text:
            self.words.append(text)

    def ended(self) -> tuple[Section, ...]:
        """Return the sections, the last one included."""
        self._end_section()
        return tuple(self.sections)

    def _end_paragraph(self) -> None:
        text = "".join(self.words).strip()
        self.words = []
        if self.tables:
            if self.cells and text:
                self.cells[-1].append(" ".join(text.split()))
        elif self.level is not None and text:
            self._end_section()
            heading = " ".join(text.split())
            self.path = self.outline.enter(self.level, heading)
            self._add(heading)
        else:
            self._add(f"- {text}" if self.is_item and text else text)

    def _add(self, block: str) -> None:
        if block.strip():
            self.blocks.append(block)

    def _end_section(self) -> None:
        if self.blocks:
            self.sections.append(Section(text="\n\n".join(self.blocks), path=self.path))
        self.blocks = []
