"""HTML: one section per heading, in reading order, without scripts and navigation."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from plinth.adapters.parsers.outline import Outline
from plinth.adapters.parsers.text import title_from_name
from plinth.contracts.memory import ParsedDocument, Section
from plinth.errors import DocumentRefusedError
from plinth.memory.detection import decode_text

MAX_DEPTH = 1_000

_DROPPED = ["script", "style", "noscript", "template", "nav", "svg", "iframe", "del", "s", "strike"]
_OF_THE_PAGE = {"header", "footer"}
_CONTENT = {"article", "main", "section"}
"""What has headers and footers of its own, with its heading and its terms; those around it are the site's."""
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_PARAGRAPHS = {
    *("p", "div", "table", "ul", "ol", "dl", "pre", "blockquote", *_HEADINGS, *_CONTENT, *_OF_THE_PAGE),
    *("address", "aside", "center", "details", "dialog", "fieldset", "figcaption", "figure", "form"),
    *("hgroup", "hr", "label", "legend", "menu", "optgroup", "option", "search", "summary"),
}
_LINES = {"li", "tr", "dt", "dd", "br"}
_LAID_OUT = {"table", "pre", *_HEADINGS}
_NEWLINE = "\n"
_EMPTY_ROW = " |\n"
_EXPONENT = re.compile(r"\s*[-+\u2212]?(?:\d|\w\b)")
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")
_NEVER_DEEP = {
    *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"),
    *("p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "colgroup"),
}
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*?(/?)>")


def parse_html(name: str, body: bytes) -> ParsedDocument:
    """Return a section per heading; the title element is the title, or else the first heading, or else the name."""
    text = decode_text(body)
    _check_depth(text)
    tree = LexborHTMLParser(text)
    tree.strip_tags(_DROPPED, recursive=False)
    sections = _sections(tree.body) if tree.body else []
    title_node = tree.css_first("title")
    title = _one_line(title_node.text()) if title_node else ""
    first_heading = next((section.path[0] for section in sections if section.path), None)
    return ParsedDocument(title=title or first_heading or title_from_name(name), sections=tuple(sections))


def _check_depth(text: str) -> None:
    """Refuse a tree so deep that walking it takes minutes (200,000 levels took over 45 s of processor time)."""
    depth = 0
    for closing, tag, self_closing in _TAG.findall(text):
        if not self_closing and tag.lower() not in _NEVER_DEEP:
            depth = max(depth - 1, 0) if closing else depth + 1
        if depth > MAX_DEPTH:
            raise DocumentRefusedError("too_deep", f"elements are nested over {MAX_DEPTH} deep; export the page anew")


def _sections(root: LexborNode) -> list[Section]:
    page = _Page()
    for node, tag, is_entered in _walk(root):
        if tag == "-text":
            page.add_text(node.text_content or "")
        elif is_entered:
            page.enter(tag)
        else:
            page.leave(tag)
    return page.ended()


def _walk(root: LexborNode) -> Iterator[tuple[LexborNode, str, bool]]:
    """Yield what is below the root in document order: texts once, elements when they begin and when they end."""
    node, above, contents = root.child, list[tuple[LexborNode, str]](), 0
    while node is not None:
        tag = node.tag or ""
        yield node, tag, True
        inner = None if tag in _OF_THE_PAGE and not contents else node.child
        if inner is not None:
            above.append((node, tag))
            contents += tag in _CONTENT
            node = inner
            continue
        if tag != "-text":
            yield node, tag, False
        following = node.next
        while following is None and above:
            node, tag = above.pop()
            contents -= tag in _CONTENT
            yield node, tag, False
            following = node.next
        node = following


class _Page:
    """The text of a page as its elements come: a cell of a table is one line, its row has a bar between cells.

    A table that holds headings, code or tables only lays the page out: its cells are read one below the other.
    """

    def __init__(self) -> None:
        self._sections: list[Section] = []
        self._pieces: list[str] = []
        self._outline = Outline()
        self._path: tuple[str, ...] = ()
        self._headings = 0
        self._tables: list[bool] = []
        self._cells = 0
        self._row = self._cell = 0
        self._code: int | None = None
        self._is_raised = False

    def add_text(self, text: str) -> None:
        if self._code is None:
            lead = text[:1].isspace() and self._pieces and not self._pieces[-1][-1:].isspace()
            trail = text[-1:].isspace() and not text.isspace()
            text = f"{' ' if lead else ''}{_one_line(text)}{' ' if trail else ''}"
        if self._is_raised and _EXPONENT.match(text):
            self._pieces.append("^")
        self._is_raised = False
        if text:
            self._pieces.append(text)

    def enter(self, tag: str) -> None:
        if tag in _HEADINGS:
            if not self._headings:
                self._end_section()
            self._headings += 1
        if tag in _LAID_OUT:
            self._tables = [False] * len(self._tables)
        self._break(tag)
        match tag:
            case "table":
                self._tables.append(True)
            case "tr":
                self._cells, self._row = 0, len(self._pieces)
            case "td" | "th":
                if self._cells:
                    self._pieces.append(" | " if self._is_data else "\n")
                self._cells += 1
                self._cell = len(self._pieces)
            case "pre" if self._code is None:
                self._code = len(self._pieces)
            case "sup":
                self._is_raised = True
            case _:
                pass

    def leave(self, tag: str) -> None:
        match tag:
            case "table":
                self._tables.pop()
            case "td" | "th" if self._is_data:
                self._pieces[self._cell :] = [_one_line("".join(self._pieces[self._cell :]))]
            case "tr" if self._is_data and not "".join(self._pieces[self._row :]).strip(_EMPTY_ROW):
                del self._pieces[self._row :]
            case "pre" if self._code is not None:
                self._pieces[self._code :] = [_fenced("".join(self._pieces[self._code :]))]
                self._code = None
            case _:
                pass
        if tag in _HEADINGS:
            self._end_heading(int(tag[1]))
        if tag in _PARAGRAPHS:
            self._pieces.append("\n\n")

    def ended(self) -> list[Section]:
        """Return the sections that say something."""
        self._end_section()
        return self._sections

    @property
    def _is_data(self) -> bool:
        return bool(self._tables) and self._tables[-1]

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self._pieces.append("\n\n")
        elif tag in _LINES:
            self._pieces.append("\n")

    def _end_heading(self, level: int) -> None:
        self._headings -= 1
        if not self._headings:
            heading = _one_line("".join(self._pieces)).removesuffix("¶").removesuffix(" #").rstrip()
            self._path = self._outline.enter(level, heading)

    def _end_section(self) -> None:
        if text := _tidy(self._pieces):
            self._sections.append(Section(text=text, path=self._path))
        self._pieces = []


def _fenced(code: str) -> str:
    """Return code with empty lines between fences, so that it is known as one block."""
    return f"```\n{code.strip(_NEWLINE)}\n```" if _EMPTY_LINE.search(code.strip()) else code


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _tidy(pieces: list[str]) -> str:
    lines = map(str.rstrip, "".join(pieces).split("\n"))
    paragraphs: list[str] = []
    for line in lines:
        if line or (paragraphs and paragraphs[-1]):
            paragraphs.append(line)
    return "\n".join(paragraphs).strip("\n")
