"""HTML: one section per heading, in reading order, without scripts and navigation."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from plinth.adapters.parsers.text import title_from_name
from plinth.contracts.memory import ParsedDocument, Section
from plinth.errors import DocumentRefusedError
from plinth.memory.detection import decode_text

MAX_DEPTH = 1_000

_DROPPED = ["script", "style", "noscript", "template", "nav", "header", "footer", "svg", "iframe"]
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_PARAGRAPHS = {"p", "div", "section", "article", "table", "ul", "ol", "dl", "pre", "blockquote", *_HEADINGS}
_LINES = {"li", "tr", "dt", "dd", "br"}
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
    first_heading = next((section.heading for section in sections if section.heading), None)
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
    sections: list[Section] = []
    heading: str | None = None
    pieces: list[str] = []
    for node in root.traverse(include_text=True):
        tag = node.tag or ""
        if tag in _HEADINGS:
            sections.append(Section(text=_tidy(pieces), heading=heading))
            heading, pieces = _one_line(node.text()) or None, []
        elif tag == "-text":
            pieces.append(_text(node))
        if tag in _PARAGRAPHS:
            pieces.append("\n\n")
        elif tag in _LINES:
            pieces.append("\n")
    sections.append(Section(text=_tidy(pieces), heading=heading))
    return [section for section in sections if section.text]


def _text(node: LexborNode) -> str:
    text = node.text_content or ""
    parent = node.parent
    if parent is not None and parent.tag == "pre":
        return text
    lead, trail = text[:1].isspace(), text[-1:].isspace()
    return f"{' ' if lead else ''}{_one_line(text)}{' ' if trail and text.strip() else ''}"


def _line(line: str) -> str:
    """Drop the single space that a text node may begin with; deeper indentation is code's own."""
    trimmed = line.rstrip()
    return trimmed[1:] if trimmed.startswith(" ") and not trimmed.startswith("  ") else trimmed


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _tidy(pieces: list[str]) -> str:
    lines = (_line(line) for line in "".join(pieces).split("\n"))
    paragraphs: list[str] = []
    for line in lines:
        if line or (paragraphs and paragraphs[-1]):
            paragraphs.append(line)
    return "\n".join(paragraphs).strip()
