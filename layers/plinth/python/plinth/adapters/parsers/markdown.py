"""Markdown: one section per heading, the source text kept as it is."""

from itertools import pairwise

from markdown_it import MarkdownIt

from plinth.adapters.parsers.outline import Outline
from plinth.adapters.parsers.text import title_from_name
from plinth.contracts.memory import ParsedDocument, Section
from plinth.memory.detection import decode_text


def parse_markdown(name: str, body: bytes) -> ParsedDocument:
    """Return a section per heading; the first heading of the first level is the title."""
    text = decode_text(body)
    lines = text.split("\n")
    tokens = MarkdownIt("commonmark", {"maxNesting": 20}).disable("inline").parse(text)  # blocks are all that is asked
    headings = [
        (opening.map[0], int(opening.tag[1]), _one_line(content.content))
        for opening, content in pairwise(tokens)
        if opening.type == "heading_open" and opening.map and opening.level == 0
    ]
    title = next((heading for _, level, heading in headings if level == 1 and heading), title_from_name(name))
    outline = Outline()
    starts = [(0, ()), *((line, outline.enter(level, heading)) for line, level, heading in headings), (len(lines), ())]
    sections = (
        Section(text="\n".join(lines[start:end]).strip(), path=path) for (start, path), (end, _) in pairwise(starts)
    )
    return ParsedDocument(title=title, sections=tuple(section for section in sections if section.text))


def _one_line(heading: str) -> str:
    return " ".join(heading.split())
