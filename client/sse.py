"""How a server-sent event stream is read: bytes, lines, messages, by the WHATWG HTML standard, section 9.2.6."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")
"""A carriage return that ends what has come may be the first half of a line's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message: `id` is the last id seen, for Last-Event-ID; comments and heartbeats never make one."""

    id: str
    data: str


def lines_of(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines of a stream that comes in pieces; what else Unicode calls a line's end is text like any other."""
    rest = b""
    for piece in pieces:
        *whole, rest = _LINE_END.split(rest + piece)
        yield from (line.decode(errors="replace") for line in whole)
    if rest:
        yield rest.removesuffix(b"\r").decode(errors="replace")


def messages(lines: Iterable[str]) -> Iterator[Message]:
    """Yield the messages of a stream's lines; a message cut off before its blank line is dropped."""
    last_id, data = "", list[str]()
    for line in lines:
        if not line:
            if data:
                yield Message(id=last_id, data="\n".join(data))
            data = []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "id":
            last_id = value
