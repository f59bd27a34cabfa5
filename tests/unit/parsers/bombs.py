"""Files that are made to hurt a reader: each is a few bytes that become many, or no document at all."""

import zlib
from collections.abc import Callable
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


def docx(document: bytes, **parts: bytes) -> bytes:
    """Return an archive with this document and other parts, by name without `.xml`."""
    body = BytesIO()
    with ZipFile(body, "w", ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", document)
        for name, part in parts.items():
            archive.writestr(f"word/{name}.xml", part)
    return body.getvalue()


def word(inner: str, *, before: str = "") -> bytes:
    """Return the document part around this content."""
    return f'<?xml version="1.0"?>{before}<w:document {_W}><w:body>{inner}</w:body></w:document>'.encode()


def paragraph(text: str, *, style: str = "", item: bool = False) -> str:
    """Return a paragraph as Word writes it."""
    properties = f'<w:pStyle w:val="{style}"/>' * bool(style) + '<w:numPr><w:numId w:val="1"/></w:numPr>' * item
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def table(*rows: tuple[str, ...]) -> str:
    """Return a table of these cells."""
    told = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in told)}</w:tbl>"


def pdf(*objects: bytes) -> bytes:
    """Return a PDF of these objects, of which the first is the catalogue, without a table of places."""
    numbered = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, each) for number, each in enumerate(objects, start=1))
    return b"%PDF-1.7\n" + numbered + b"trailer << /Root 1 0 R >>\n%%EOF"


def page(content: bytes, *, filters: int = 1) -> bytes:
    """Return a PDF of one page whose content was compressed so many times."""
    for _ in range(filters):
        content = zlib.compress(content, 9)
    named = b" ".join([b"/FlateDecode"] * filters)
    return pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        b"<< /Length %d /Filter [%s] >>\nstream\n%s\nendstream" % (len(content), named, content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )


def _pages(count: int) -> bytes:
    kids = b" ".join(b"3 0 R" for _ in range(count))
    return pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
    )


def _recursive_pages() -> bytes:
    return pdf(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>")


def _archive(**files: bytes) -> bytes:
    body = BytesIO()
    with ZipFile(body, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return body.getvalue()


def _lying() -> bytes:
    """Return a document whose header says that it is small."""
    honest = bytearray(docx(b" " * 50_000_000))
    size = (50_000_000).to_bytes(4, "little")
    while size in honest:
        at = honest.index(size)
        honest[at : at + 4] = (1_000).to_bytes(4, "little")
    return bytes(honest)


def _many_files() -> bytes:
    return docx(word(paragraph("text")), **{f"part{number}": b"" for number in range(3_000)})


BOMBS: tuple[tuple[str, Callable[[], bytes], set[str]], ...] = (
    ("zeros.docx", lambda: docx(b"\0" * 300_000_000), {"bomb", "unreadable_docx"}),
    ("spaces.docx", lambda: docx(word(" " * 200_000_000)), {"bomb"}),
    ("styles.docx", lambda: docx(word(paragraph("a")), styles=word(" " * 200_000_000)), {"bomb"}),
    ("lying.docx", _lying, {"bomb", "unreadable_docx"}),
    ("nested.docx", lambda: _archive(inner=docx(b" " * 100_000_000)), {"unsupported_format"}),
    ("files.docx", _many_files, {"bomb"}),
    (
        "laughs.docx",
        lambda: docx(word(paragraph("&l9;"), before=f'<!DOCTYPE w [<!ENTITY l0 "ha">{_LAUGHS}]>')),
        {"bomb"},
    ),
    (
        "outside.docx",
        lambda: docx(word(paragraph("&x;"), before='<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>')),
        {"bomb"},
    ),
    ("deep.docx", lambda: docx(word("<w:sdt>" * 100_000)), {"too_deep"}),
    ("broken.docx", lambda: docx(b"<w:document"), {"unreadable_docx"}),
    ("cut.docx", lambda: docx(word(paragraph("text") * 1000))[:400], {"unreadable_docx"}),
    ("program.docx", lambda: b"MZ" + b"\x90" * 100, {"not_a_docx"}),
    ("sheet.docx", lambda: _archive(**{"xl/workbook.xml": b"<x/>"}), {"unsupported_format"}),
    ("laughs.html", lambda: b"<div>" * 2_000_000, {"too_deep"}),
    ("deep.json", lambda: b"[" * 5_000_000, {"too_deep", "unreadable_json"}),
    ("deeper.json", lambda: b'{"a":' * 900 + b"1" + b"}" * 900, {"too_deep"}),
    ("long.json", lambda: b"9" * 1_000_000, {"unreadable_json"}),
    ("many.json", lambda: b"[" + b"1," * 3_000_000 + b"1]", {"too_many_values"}),
    ("deep.jsonl", lambda: b'{"a":1}\n' + b"[" * 1_000_000, {"too_deep", "unreadable_json"}),
    ("no.jsonl", lambda: b'{"a":1}\nnot json', {"unreadable_json"}),
    ("wide.csv", lambda: b"a," * 2_000_000, {"too_many_cells"}),
    ("huge.csv", lambda: b"a,b\n1," + b"x" * 5_000_000, {"unreadable_csv"}),
    ("cells.csv", lambda: b"a,b\n" + b"1,2\n" * 600_000, {"too_many_cells"}),
    ("quote.csv", lambda: b'a,b\n1,"' + b"x\n" * 2_000_000, {"unreadable_csv"}),
    ("nul.csv", lambda: b"a,b\n" + b"\0" * 10_000, {"not_text"}),
    ("nul.txt", lambda: b"text" + b"\0" * 10_000, {"not_text"}),
    ("noise.txt", lambda: bytes(range(256)) * 1_000, {"not_text"}),
    ("wrong.txt", lambda: "text".encode("utf-32-be") * 1_000, {"not_text"}),
    ("stream.pdf", lambda: page(b" " * 100_000_000, filters=2), {"bomb", "unreadable", "no_text", "unreadable_pdf"}),
    (
        "text.pdf",
        lambda: page(b"BT /F 1 Tf " + b"(word) Tj " * 4_000_000),
        {"too_long", "unreadable", "bomb"},
    ),
    ("pages.pdf", lambda: _pages(100_000), {"too_many_pages"}),
    ("loop.pdf", _recursive_pages, {"unreadable_pdf", "no_text"}),
    ("cut.pdf", lambda: page(b"BT (text) Tj ET")[:120], {"unreadable_pdf"}),
    ("archive.txt", lambda: _archive(a=b"x"), {"unsupported_format"}),
    ("picture.pdf", lambda: b"\x89PNG%PDF-", {"unsupported_format"}),
    ("locked.docx", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, {"unsupported_format"}),
)
"""Name, what makes the file, and the reasons that it may be refused for."""
