"""The child process that parses one document: bytes on standard input, JSON on standard output, under hard limits."""

import sys
import unicodedata
from dataclasses import replace

import msgspec

from plinth.adapters.parsers import MAX_CHARACTERS, REFUSED_EXIT_CODE
from plinth.adapters.parsers.confinement import confine
from plinth.adapters.parsers.csv import parse_csv
from plinth.adapters.parsers.docx import parse_docx
from plinth.adapters.parsers.html import parse_html
from plinth.adapters.parsers.json import parse_json, parse_jsonl
from plinth.adapters.parsers.markdown import parse_markdown
from plinth.adapters.parsers.pdf import parse_pdf
from plinth.adapters.parsers.text import parse_text
from plinth.contracts.memory import ParsedDocument, Section
from plinth.errors import DocumentRefusedError
from plinth.memory.detection import DocumentKind, detect

MAX_LABEL = 300
"""Characters of a title or heading: each is stored and prompted again with every passage."""
_UNSEEN = ("\u00ad", "\u200b")
"""Where a word may be cut at a line's end: it is not found by its letters with these in it."""
_PARSERS = {
    DocumentKind.TEXT: parse_text,
    DocumentKind.MARKDOWN: parse_markdown,
    DocumentKind.HTML: parse_html,
    DocumentKind.PDF: parse_pdf,
    DocumentKind.DOCX: parse_docx,
    DocumentKind.CSV: parse_csv,
    DocumentKind.JSON: parse_json,
    DocumentKind.JSONL: parse_jsonl,
}


def parse(name: str, body: bytes) -> ParsedDocument:
    """Return the document's text, or raise `DocumentRefusedError` for one without any or with too much."""
    parsed = _PARSERS[detect(name, body)](name, body)
    sections = tuple(map(_tidied, parsed.sections))
    if not any(section.text.strip() for section in sections):
        raise DocumentRefusedError(
            "no_text", "no text could be read from the file; a scan needs text recognition first"
        )
    if sum(len(section.text) for section in sections) > MAX_CHARACTERS:
        raise DocumentRefusedError("too_long", f"the document holds over {MAX_CHARACTERS} characters; split it")
    return replace(parsed, title=_composed(parsed.title)[:MAX_LABEL], sections=sections)


def _tidied(section: Section) -> Section:
    path = tuple([_composed(part)[:MAX_LABEL] for part in section.path])
    return Section(text=_composed(section.text), page=section.page, path=path)


def _composed(text: str) -> str:
    """Return the text in the one form (NFC) that questions have too."""
    if text.isascii():
        return text
    for unseen in _UNSEEN:
        text = text.replace(unseen, "")
    return unicodedata.normalize("NFC", text)


def main() -> int:
    """Parse standard input, confined; exit 3 with the reason for a refused document."""
    confine()
    try:
        output: object = parse(sys.argv[1], sys.stdin.buffer.read())
        status = 0
    except DocumentRefusedError as error:
        output = {"reason": error.reason, "message": error.message}
        status = REFUSED_EXIT_CODE
    except MemoryError:
        output = {"reason": "bomb", "message": "reading it takes more memory than there is; split it or save it anew"}
        status = REFUSED_EXIT_CODE
    sys.stdout.buffer.write(msgspec.json.encode(output))
    return status


if __name__ == "__main__":
    sys.exit(main())
