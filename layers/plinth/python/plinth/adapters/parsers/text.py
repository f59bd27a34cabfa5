"""Plain text: one section, titled by the file's name."""

from pathlib import PurePosixPath

from plinth.contracts.memory import ParsedDocument, Section
from plinth.memory.detection import decode_text


def title_from_name(name: str) -> str:
    """Return a readable title made from a file's name."""
    return PurePosixPath(name).stem.replace("-", " ").replace("_", " ").strip() or name


def parse_text(name: str, body: bytes) -> ParsedDocument:
    """Return the whole text as one section."""
    return ParsedDocument(title=title_from_name(name), sections=(Section(text=decode_text(body)),))
