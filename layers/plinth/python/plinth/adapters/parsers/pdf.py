"""PDF: one section per page, with what was filled into its form; words that a line's end cut are joined."""

import re
from collections.abc import Iterator, Sequence

import pypdfium2
from pypdfium2.raw import FLATTEN_SUCCESS, FPDF_ERR_PASSWORD

from plinth.adapters.parsers import MAX_CHARACTERS
from plinth.adapters.parsers.text import title_from_name
from plinth.contracts.memory import ParsedDocument, Section
from plinth.errors import DocumentRefusedError

MAX_PAGES = 2_000
_CUT = "\x02"
"""What pdfium tells instead of a hyphen at a line's end and the line's end."""
_CUT_WORD = re.compile(rf"\b\w++(?:{_CUT}\w++)+")


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
        pages = list(_pages(document))
    except pypdfium2.PdfiumError as error:
        raise DocumentRefusedError("unreadable_pdf", f"a page can't be read ({error}); export it again") from error
    title = document.get_metadata_value("Title").strip()
    sections = (Section(text=text, page=number) for number, text in enumerate(_joined(pages), start=1) if text)
    return ParsedDocument(title=title or title_from_name(name), sections=tuple(sections))


def _pages(document: pypdfium2.PdfDocument) -> Iterator[str]:
    document.init_forms()
    characters = 0
    for number in range(len(document)):
        page = document[number]
        if document.formenv and page.flatten() == FLATTEN_SUCCESS:
            page = document[number]
        text = page.get_textpage().get_text_bounded().replace("\r\n", "\n").strip()
        characters += len(text)
        if characters > MAX_CHARACTERS:
            raise DocumentRefusedError("too_long", f"the PDF holds over {MAX_CHARACTERS} characters; split it")
        yield text


def _joined(pages: Sequence[str]) -> Sequence[str]:
    """Return the pages with each cut word as it stands elsewhere in the document, or with its hyphen."""
    if not any(_CUT in text for text in pages):
        return pages
    words = {word for text in pages for word in re.findall(r"\w+", text.casefold())}

    def whole(cut: re.Match[str]) -> str:
        word = cut[0].replace(_CUT, "")
        return word if word.casefold() in words else cut[0]

    return [_CUT_WORD.sub(whole, text).replace(_CUT, "-") for text in pages]
