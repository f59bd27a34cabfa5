"""JSON and JSONL: a section per object, under the path that leads to it, with a line per value."""

import json
from collections.abc import Iterable, Iterator

from plinth.adapters.parsers.text import title_from_name
from plinth.contracts.memory import ParsedDocument, Section
from plinth.errors import DocumentRefusedError
from plinth.memory.detection import decode_text

MAX_DEPTH = 100
MAX_VALUES = 1_000_000
_SPELLED = {"None": "null", "True": "true", "False": "false"}
_Value = str | int | None | list["_Value"] | tuple[tuple[str, "_Value"], ...]
"""An object is a tuple of its pairs, of which two may have one name; a number with a point is its digits."""


def parse_json(name: str, body: bytes) -> ParsedDocument:
    """Return a section per object or list that holds values; its path leads there, such as `orders > [3]`."""
    value = _loaded(decode_text(body), "the file")
    return ParsedDocument(title=title_from_name(name), sections=tuple(_bounded(_sections((), value))))


def parse_jsonl(name: str, body: bytes) -> ParsedDocument:
    """Return the sections of each line's value, under the line's number."""
    lines = enumerate(decode_text(body).split("\n"), start=1)
    found = (
        section
        for number, line in lines
        if line.strip()
        for section in _sections((f"line {number}",), _loaded(line, f"line {number}"))
    )
    return ParsedDocument(title=title_from_name(name), sections=tuple(_bounded(found)))


def _loaded(text: str, what: str) -> _Value:
    try:
        value: _Value = json.loads(text, parse_float=str, parse_constant=str, object_pairs_hook=tuple)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise DocumentRefusedError("unreadable_json", f"{what} is not JSON ({error}); export it again") from error
    return value


def _sections(path: tuple[str, ...], value: _Value) -> Iterator[Section]:
    """Yield what an object says of itself, then what it holds."""
    if len(path) > MAX_DEPTH:
        raise _too_deep()
    members = list(_members(value))
    named = isinstance(value, tuple)
    lines = [_line(name if named else "", each) for name, each in members if not isinstance(each, tuple | list)]
    if lines:
        yield Section(text=_whole("\n".join(lines)), path=tuple(map(_whole, path)))
    for name, each in members:
        if isinstance(each, tuple | list):
            yield from _sections((*path, name), each)


def _members(value: _Value) -> Iterable[tuple[str, _Value]]:
    if isinstance(value, tuple | list) and len(value) > MAX_VALUES:
        raise _too_many()
    if isinstance(value, tuple):
        return value
    if isinstance(value, list):
        return ((f"[{number}]", each) for number, each in enumerate(value))
    return (("", value),)


def _line(name: str, value: _Value) -> str:
    told = value if isinstance(value, str) else _SPELLED.get(str(value), str(value))
    return f"{name}: {told}" if name else f"- {told}"


def _whole(text: str) -> str:
    """Return the text with a mark for each half of a surrogate pair: JSON can say it, Unicode text can't."""
    return text.encode("utf-8", "replace").decode()


def _bounded(sections: Iterable[Section]) -> Iterator[Section]:
    values = 0
    for section in sections:
        values += section.text.count("\n") + 1
        if values > MAX_VALUES:
            raise _too_many()
        yield section


def _too_many() -> DocumentRefusedError:
    return DocumentRefusedError("too_many_values", f"the file holds over {MAX_VALUES} values; split it")


def _too_deep() -> DocumentRefusedError:
    return DocumentRefusedError("too_deep", f"values are nested over {MAX_DEPTH} deep; flatten the file")
