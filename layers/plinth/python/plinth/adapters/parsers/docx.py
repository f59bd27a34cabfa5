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
_MC = "http://schemas.openxmlformats.org/markup-compatibility/2006 "
_SAID = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_NOTES = ("footnote", "endnote", "footnoteReference", "endnoteReference")
_UNTOLD = (_W + "del", _W + "moveFrom", _W + "pPrChange", _MC + "Fallback")
"""What was deleted, or stood here or looked so before; and what is told once more, for old programs."""
_MEANT = {
    **{_W + name: name for name in ("p", "pStyle", "numPr", "t", "tbl", "tr", "tc", *_SAID, *_NOTES)},
    **dict.fromkeys(_UNTOLD, "untold"),
}
_NOTE_PARTS = ("word/footnotes.xml", "word/endnotes.xml")
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
            notes = _Content(styles.headings)
            for part in filter(parts.__contains__, _NOTE_PARTS):
                _read(archive, parts[part], notes.start, notes.end, notes.text)
            content = _Content(styles.headings, notes.notes)
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


@dataclass(slots=True)
class _Paragraph:
    words: list[str] = field(default_factory=list[str])
    level: int | None = None
    is_item: bool = False

    @property
    def text(self) -> str:
        return "".join(self.words).strip()

    @property
    def line(self) -> str:
        return " ".join("".join(self.words).split())


@dataclass
class _Content:
    """The text as its elements come: paragraphs, list items, rows with cells, and sections by heading.

    `open` are the paragraphs around what comes, below them one that is never told. Boxes and notes are told after the
    paragraph or table that they stand in: each note once, so that no file grows by naming one again and again.
    """

    headings: dict[str, int]
    notes: dict[str, str] = field(default_factory=dict[str, str])
    note: str = ""
    depth: int = 0
    untold: int = 0
    outline: Outline = field(default_factory=Outline)
    path: tuple[str, ...] = ()
    blocks: list[str] = field(default_factory=list[str])
    waiting: list[_Paragraph] = field(default_factory=list[_Paragraph])
    open: list[_Paragraph] = field(default_factory=lambda: [_Paragraph()])
    rows: list[str] = field(default_factory=list[str])
    cells: list[list[_Paragraph]] = field(default_factory=list[list[_Paragraph]])
    tables: int = 0
    takes_text: bool = False
    sections: list[Section] = field(default_factory=list[Section])

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise DocumentRefusedError("too_deep", f"its elements are nested over {MAX_DEPTH} deep; save it again")
        name = _MEANT.get(tag)
        if name == "untold":
            self.untold += 1
        elif name and not self.untold:
            self._begin(name, attributes)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        match name:
            case "p":
                self.open.append(_Paragraph())
                (self.cells[-1] if self.cells else self.waiting).append(self.open[-1])
            case "pStyle":
                style = attributes.get(_W + "val", "")
                self.open[-1].level = self.headings.get(style, _heading_level(style))
            case "numPr":
                self.open[-1].is_item = True
            case "t":
                self.takes_text = True
            case "tbl":
                self._begin_table()
            case "tc":
                self.cells.append([])
            case _ if name in _SAID:
                self.open[-1].words.append(_SAID[name])
            case _ if name in _NOTES:
                self._meet_note(name, attributes.get(_W + "id", ""))
            case _:
                pass

    def end(self, tag: str) -> None:
        self.depth -= 1
        match _MEANT.get(tag):
            case None:
                pass
            case "untold":
                self.untold -= 1
            case _ if self.untold:
                pass
            case "t":
                self.takes_text = False
            case "p":
                self.open.pop()
                self._tell()
            case "tr" if self.tables == 1:
                cells = (" ".join(filter(None, (each.line for each in cell))) for cell in self.cells)
                self.rows += (" | ".join(cells), "\n")
                self.cells = []
            case "tbl":
                self.tables -= 1
                if not self.tables:
                    self.rows = []
                    self._tell()
            case "footnote" | "endnote":
                self.notes[self.note], self.blocks = "\n\n".join(self.blocks), []
            case _:
                pass

    def text(self, text: str) -> None:
        if self.takes_text:
            self.open[-1].words.append(text)

    def ended(self) -> tuple[Section, ...]:
        """Return the sections, the last one included."""
        self._end_section()
        return tuple(self.sections)

    def _meet_note(self, name: str, number: str) -> None:
        kind = name.removesuffix("Reference")
        if kind == name:
            self.note = kind + number
        else:
            self.waiting.append(_Paragraph([self.notes.pop(kind + number, "")]))

    def _begin_table(self) -> None:
        self.tables += 1
        if self.tables == 1:
            self.waiting.append(_Paragraph(self.rows))

    def _tell(self) -> None:
        """Tell what waited for the end of the outermost paragraph or table."""
        if self.tables or len(self.open) > 1:
            return
        for each in self.waiting:
            text = each.text
            if each.level is not None and text and not self.note:
                self._end_section()
                text = each.line
                self.path = self.outline.enter(each.level, text)
            elif each.is_item and text:
                text = f"- {text}"
            if text:
                self.blocks.append(text)
        self.waiting = []

    def _end_section(self) -> None:
        if self.blocks:
            self.sections.append(Section(text="\n\n".join(self.blocks), path=self.path))
        self.blocks = []
