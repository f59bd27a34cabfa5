"""Markdown: one section per heading, the source text kept as it is, and one of the facts in YAML before it."""

import re
from itertools import pairwise

from markdown_it import MarkdownIt

from plinth.adapters.parsers.outline import Outline
from plinth.adapters.parsers.text import title_from_name
from plinth.contracts.memory import ParsedDocument, Section
from plinth.memory.detection import decode_text

_KEY = r"\w[^:\n]*:(?:[ \t][^\n]*)?\n"
_FACTS = re.compile(rf"---[ \t]*\n({_KEY}(?:{_KEY}|(?:[ \t]|- |#)[^\n]*\n|\n)*+)(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
"""Lines with keys, what is indented or listed below them, comments: prose between two rules is none."""
_TITLE = re.compile(r"^title[ \t]*:([^\n]*)\n", re.IGNORECASE | re.MULTILINE)


def parse_markdown(name: str, body: bytes) -> ParsedDocument:
    """Return a section per heading; the first of the first level is the title, or else that of the facts before it."""
    text = decode_text(body)
    front = _FACTS.match(text)
    facts = front[1] if front else ""
    text = text[front.end() :] if front else text
    lines = text.split("\n")
    tokens = MarkdownIt("commonmark", {"maxNesting": 20}).disable("inline").parse(text)  # blocks are all that is asked
    headings = [
        (opening.map[0], int(opening.tag[1]), _one_line(content.content))
        for opening, content in pairwise(tokens)
        if opening.type == "heading_open" and opening.map and opening.level == 0
    ]
    stated = _TITLE.search(facts)
    stated_title = _plain(stated[1].strip()) if stated else ""
    heading = next((heading for _, level, heading in headings if level == 1 and heading), "")
    title = heading or stated_title or title_from_name(name)
    if stated and stated_title == title:
        facts = facts.replace(stated[0], "")
    outline = Outline()
    starts = [(0, ()), *((line, outline.enter(level, heading)) for line, level, heading in headings), (len(lines), ())]
    sections = (
        Section(text="\n".join(lines[start:end]).strip(), path=path) for (start, path), (end, _) in pairwise(starts)
    )
    told = (Section(text=facts.strip()), *sections)
    return ParsedDocument(title=title, sections=tuple(section for section in told if section.text))


def _plain(value: str) -> str:
    """Return a YAML value of one line without its quotes or the comment behind it; nothing for any other value."""
    if value.startswith(("'", '"')):
        return _one_line(value[1:].partition(value[0])[0])
    return "" if value.startswith(tuple("|>&*!%@`[{#")) else _one_line(value.partition(" #")[0])


def _one_line(heading: str) -> str:
    return " ".join(heading.split())
