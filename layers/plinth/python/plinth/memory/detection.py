"""What kind of document some bytes are: magic bytes decide, then the name, and everything else is refused."""

import codecs
import re
from enum import StrEnum
from pathlib import PurePosixPath

from plinth.errors import DocumentRefusedError


class DocumentKind(StrEnum):
    """The formats that can be read."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


TAKEN = (
    "text (.txt), Markdown (.md), HTML (.html), PDF (.pdf), Word (.docx), CSV (.csv, .tsv), JSON (.json) and"
    " JSON lines (.jsonl, .ndjson)"
)
_BY_SUFFIX = {
    "": DocumentKind.TEXT,
    ".txt": DocumentKind.TEXT,
    ".text": DocumentKind.TEXT,
    ".md": DocumentKind.MARKDOWN,
    ".markdown": DocumentKind.MARKDOWN,
    ".html": DocumentKind.HTML,
    ".htm": DocumentKind.HTML,
    ".pdf": DocumentKind.PDF,
    ".docx": DocumentKind.DOCX,
    ".csv": DocumentKind.CSV,
    ".tsv": DocumentKind.CSV,
    ".json": DocumentKind.JSON,
    ".jsonl": DocumentKind.JSONL,
    ".ndjson": DocumentKind.JSONL,
}
_PDF_HEADER_WITHIN = 1024
_HTML_WITHIN = 256
_ZIP = b"PK\x03\x04"
_WORD = b"word/document.xml"  # an archive holds the names of its files unpacked
_WESTERN = "cp1252"
_AS_BROWSERS_READ = {
    "ascii": _WESTERN,
    "iso8859-1": _WESTERN,
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
}
"""Encodings of Python by whose name a page means a larger one. Source: https://encoding.spec.whatwg.org, 2026-11."""
_DECLARED = re.compile(rb"""<(?:meta|\?xml)\b[^>]*?(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_DECLARED_WITHIN = 1024
_LETTERS = bytes(range(0xC0, 0x100))
_CROWD = re.compile(rb"[\x80-\xff]{3,}")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\ufffd]")
_FOREIGN = {
    b"PK\x05\x06": "an empty zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ\x00": "an xz archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x7fELF": "a program",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"\xd0\xcf\x11\xe0": "an old or a locked office document",
    b"{\\rtf": "rich text",
}


def detect(name: str, body: bytes) -> DocumentKind:
    """Return the kind of a document, or raise `DocumentRefusedError` that says what it is and what is taken."""
    if not body.strip():
        raise DocumentRefusedError("empty", "the file holds nothing but white space; upload one with text in it")
    foreign = next((what for magic, what in _FOREIGN.items() if body.startswith(magic)), None)
    if foreign:
        raise DocumentRefusedError("unsupported_format", f"the file is {foreign}; taken are {TAKEN}")
    kind = _by_magic(body)
    if kind:
        return kind
    suffix = PurePosixPath(name).suffix.lower()
    named = _BY_SUFFIX.get(suffix)
    if named is None:
        raise DocumentRefusedError("unsupported_format", f"files ending in {suffix} are not read; taken are {TAKEN}")
    if named is DocumentKind.PDF and b"%PDF-" not in body[:_PDF_HEADER_WITHIN]:
        raise DocumentRefusedError(
            "not_a_pdf", "the name ends in .pdf but the bytes have no PDF header; export it again"
        )
    if named is DocumentKind.DOCX:
        raise DocumentRefusedError("not_a_docx", "the name ends in .docx but the bytes are no archive; save it again")
    return named


def _by_magic(body: bytes) -> DocumentKind | None:
    """Return the kind that the first bytes tell, whatever the name says; text tells none but HTML."""
    if body.startswith(b"%PDF-"):
        return DocumentKind.PDF
    if body.startswith(_ZIP):
        if _WORD in body:
            return DocumentKind.DOCX
        raise DocumentRefusedError(
            "unsupported_format", f"the file is a zip archive or another office document; taken are {TAKEN}"
        )
    start = body[:_HTML_WITHIN].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return DocumentKind.HTML if start.startswith((b"<!doctype html", b"<html")) else None


def decode_text(body: bytes) -> str:
    """Return the text of UTF-8, of UTF-16 with a mark, of what the page declares, or of Western European bytes.

    What is not text at all is refused, and what is in an encoding that nothing tells.
    """
    encoding = "utf-16" if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        encoding = _likely_encoding(body)
        text = body.decode(encoding, errors="replace")
    odd = len(_NOT_TEXT.findall(text))
    if odd > len(text) // 100:
        raise DocumentRefusedError("not_text", f"{odd} of {len(text)} characters are not text; taken are {TAKEN}")
    if encoding == _WESTERN and 2 * _letters(b"".join(_CROWD.findall(body))) > _letters(body):
        told = "the file's letters are in an encoding that can't be told; save it as UTF-8"
        raise DocumentRefusedError("unknown_encoding", told)
    return text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")


def _likely_encoding(body: bytes) -> str:
    """Return UTF-8 where most of what is not ASCII is valid, else what the page declares, else the Western one."""
    text = body.decode("utf-8-sig", errors="replace")
    beyond_ascii = len(text) - len(text.encode("ascii", errors="ignore"))
    return "utf-8-sig" if beyond_ascii > 2 * text.count("\ufffd") else _declared_encoding(body) or _WESTERN


def _declared_encoding(body: bytes) -> str | None:
    """Return the encoding that a `<meta>` declares, if it is one in which the declaration itself can be read."""
    declared = _DECLARED.search(body, 0, _DECLARED_WITHIN)
    if not declared:
        return None
    name = declared[1].decode()
    try:
        fits = declared[0].decode(name, errors="replace") == declared[0].decode("ascii", errors="replace")
    except (LookupError, UnicodeError):
        return None
    codec = codec_of(name)
    return codec if fits and not codec.startswith("utf") else None


def codec_of(charset: str) -> str:
    """Return Python's codec of the charset that a page names, as browsers read it; `LookupError` if there is none."""
    known = codecs.lookup(charset).name
    return _AS_BROWSERS_READ.get(known, known)


def _letters(body: bytes) -> int:
    """Return how many bytes would be letters beyond ASCII: in Western text they stand alone or in pairs."""
    return len(body) - len(body.translate(None, _LETTERS))
