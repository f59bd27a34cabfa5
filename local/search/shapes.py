"""What two requests have in common that differ in values alone: method, path, parameters, and the form of the body.

A query's form is the query with kinds for values; of a document that is written, each field counts by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec

_PASSING = frozenset({408, 429})


class _Error(msgspec.Struct):
    type: str


class _Answer(msgspec.Struct):
    """An answer, or that to a part of a request."""

    status: object = None
    error: _Error | None = None
    responses: "tuple[_Answer, ...]" = ()
    items: "tuple[dict[str, _Answer], ...]" = ()

    @property
    def kind(self) -> str:
        """What kind of error it is, if it is one."""
        return self.error.type if self.error else ""


def shapes(method: str, path: str, body: object, parameters: Iterable[str] = ()) -> set[str]:
    """Return the shapes of a request; one that carries many parts has one for each kind of part."""
    place = f"{method} {_without_index(path)}?{'&'.join(sorted(parameters))}".removesuffix("?")
    parts: list[Any] = [msgspec.json.decode(each) for each in body.splitlines()] if isinstance(body, bytes) else [body]
    if path.endswith("_bulk"):
        return {f"{place} {form}" for part in parts for form in _written(part)}
    if path.endswith("_msearch"):
        parts = parts[1::2]
    return {f"{place} {_form(part)}".removesuffix(" null") for part in parts}


def refusals(method: str, path: str, status: int, answer: object) -> set[str]:
    """Return what an answer refuses: the whole request, a search of many, or the writing of a passage.

    Overload and faults of the engine (408, 429 and from 500) are left out: no engine can be made to have them at will.
    """
    whole = msgspec.convert(answer or {}, _Answer)
    parts = (*whole.responses, *(each for item in whole.items for each in item.values()))
    met = [(status, whole.kind), *((part.status, part.kind) for part in parts if part.kind)]
    return {
        f"{method} {_without_index(path)} -> {number} {kind}".rstrip()
        for number, kind in met
        if isinstance(number, int) and 400 <= number < 500 and number not in _PASSING
    }


def _without_index(path: str) -> str:
    parts = path.strip("/").split("/")
    return "/".join(["", *("{index}" if at == 0 and part[:1] != "_" else part for at, part in enumerate(parts))])


def _written(part: Mapping[str, object]) -> Sequence[str]:
    if set(part) <= {"index", "create", "delete"}:
        return [_form(part)]
    return [f"{field}: {_form(value)}" for field, value in part.items()]


def _form(value: object) -> str:
    match value:
        case None | bool():
            return str(msgspec.json.encode(value), "ascii")
        case int() | float():
            return "number"
        case str():
            return "text"
        case dict():
            members = cast("dict[str, object]", value)
            return "{" + ", ".join(f"{key}: {_form(each)}" for key, each in sorted(members.items())) + "}"
        case list() | tuple():
            return "[" + ", ".join(sorted({_form(each) for each in cast("Sequence[object]", value)})) + "]"
        case _:
            raise TypeError(f"no JSON: {value!r}")
