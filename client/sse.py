"""How a server-sent event stream is read: lines into messages, by the WHATWG HTML standard, section 9.2.6."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message: `id` is the last id seen, for Last-Event-ID; comments and heartbeats never make one."""

    id: str
    data: str


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
