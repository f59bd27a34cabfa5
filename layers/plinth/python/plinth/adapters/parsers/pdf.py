"""PDF: one section per page."""

from collections.abc import Iterator

import pypdfium2
from pypdfium2.raw import FPDF_ERR_PASSWORD

from plinth.adapters.parsers import MAX_CHARACTERS
from plinth.adapters.parsers.text import title_from_name
from plinth.contracts.memory import ParsedDocument, Section
from plinth.errors import DocumentRefusedError

MAX_PAGES = 2_000


def parse_pdf(name: str, body: bytes) -> ParsedDocument:
    """Return the text of every page. A damaged, locked or overlong file is refused with the reason."""
    try:
        document = pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError as error:
        if error.err_code == FPDF_ERR_PASSWORD:
            raise DocumentRefusedError("encrypted", "the PDF is locked; save it without a password") from error
        raise DocumentRefusedError("unreadable_pdf", f"the PDF can't be opened ({error}); export it again") from error
    if len(document) > MAX_PAGES:
        raise DocumentRefusedError("too_many_pages", f"the PDF has {len(document)} pages; split it below {MAX_PAGES}")
    try:
        sections = tuple(_pages(document))
    except pypdfium2.PdfiumError as error:
        raise DocumentRefusedError("unreadable_pdf", f"a page can't be read ({error}); export it again") from error
    title = document.get_metadata_value("Title").strip()
    return ParsedDocument(title=title or title_from_name(name), sections=sections)


def _pages(document: pypdfium2.PdfDocument) -> Iterator[Section]:
    characters = 0
    for number, page in enumerate(document, start=1):
        text = page.get_textpage().get_text_bounded().replace("\r\n", "\n").strip()
        characters += len(text)
        if characters > MAX_CHARACTERS:
            raise DocumentRefusedError("too_long", f"the PDF holds over {MAX_CHARACTERS} characters; split it")
        if text:
            yield Section(text=text, page=number)
