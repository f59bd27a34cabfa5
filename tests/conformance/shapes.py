"""What two requests have in common that differ in values alone: method, path, and the form of the body.

A query's form is the query with kinds for values; of a document that is written, each field counts by itself.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from opensearchpy import Transport

FILE = Path(__file__).with_name("our_requests.txt")


def listed() -> frozenset[str]:
    """Return the shapes that the suite holds."""
    return frozenset(FILE.read_text().splitlines())


def shapes(method: str, path: str, body: object) -> set[str]:
    """Return the shapes of a request; one that carries many parts has one for each kind of part."""
    parts = [msgspec.json.decode(line) for line in body.splitlines()] if isinstance(body, bytes) else [body]
    if path.endswith("_bulk"):
        return {f"{method} {path} {form}" for part in parts for form in _written(part)}
    if path.endswith("_msearch"):
        parts = parts[1::2]
    return {f"{method} {path} {_form(part)}".removesuffix(" null") for part in parts}


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch, is_ours: Callable[[Transport], bool]) -> Iterator[set[str]]:
    """Note the shape of every request of our clients; what it asks for of an index is told without the index's name."""
    sent: set[str] = set()
    perform: Callable[..., Any] = Transport.perform_request

    def note(transport: Transport, method: str, url: str, **options: Any) -> Any:
        if is_ours(transport):
            parts = url.strip("/").split("/")
            path = "/".join(
                ["", *("{index}" if at == 0 and part[:1] != "_" else part for at, part in enumerate(parts))]
            )
            sent.update(shapes(method, path, options.get("body")))
        return perform(transport, method, url, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Transport, "perform_request", note)
        yield sent


def _written(part: dict[str, object]) -> Sequence[str]:
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
            return "{" + ", ".join(f"{key}: {_form(each)}" for key, each in sorted(value.items())) + "}"
        case list() | tuple():
            return "[" + ", ".join(sorted({_form(each) for each in value})) + "]"
        case _:
            raise AssertionError(f"no JSON: {value!r}")
