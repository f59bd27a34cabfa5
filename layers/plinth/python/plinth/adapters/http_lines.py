"""How long one line of a model's answer may be, whatever carries it."""

from collections.abc import Iterable, Iterator

from plinth.errors import ModelReplyInvalidError

MAX_LINE_BYTES = 1024 * 1024


def bounded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces; raise `ModelReplyInvalidError` in the middle of a line that is longer than any event."""
    length = 0
    for piece in pieces:
        after_newline = len(piece) - piece.rfind(b"\n") - 1
        length = after_newline if after_newline < len(piece) else length + len(piece)
        if max(length, len(piece)) > MAX_LINE_BYTES:
            raise ModelReplyInvalidError("the answer holds a line of more than 1 MiB")
        yield piece
