"""What a tool is: typed arguments, its effect, how long it may take. Its schema is its arguments' own."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, NoReturn, TypeVar

import msgspec

from plinth.contracts.memory import StoredPassage
from plinth.contracts.models import JsonSchema, ToolSpec
from plinth.contracts.tools import ToolOutcome


class Effect(StrEnum):
    """What a call does: it reads what the caller may read anyway, writes to our stores, or acts outside of them."""

    READ = "read"
    WRITE = "write"
    EXTERNAL = "external"


class Arguments(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a model gives a tool. Each field says with `msgspec.Meta` what it means and how large it may be."""


class ToolFailedError(Exception):
    """A tool can't do what it is asked; the message is for the model, which may go on without it."""


def _absent(*_: object) -> NoReturn:
    raise ToolFailedError("this can't be done here")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a tool works with: the time in Unix seconds, and what the caller may reach.

    `search(words, limit)` returns the nearest passages of the caller's documents, the best first. `read_page(url)`
    returns the text of a page of a listed host. `keep_fact(text)` keeps a fact within the caller's own scope. Each
    raises `ToolFailedError` where it can't.
    """

    now: float
    search: Callable[[str, int], tuple[StoredPassage, ...]] = _absent
    read_page: Callable[[str], str] = _absent
    keep_fact: Callable[[str], None] = _absent


Given = TypeVar("Given", bound=Arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool(Generic[Given]):
    """A tool. `work` raises `ToolFailedError` with words for the model."""

    name: str
    description: str
    arguments: type[Given]
    effect: Effect
    timeout_seconds: float
    work: Callable[[Given, Surroundings], ToolOutcome]

    @property
    def spec(self) -> ToolSpec:
        """Return what the model is told of it."""
        return ToolSpec(name=self.name, description=self.description, parameters=_schema(self.arguments))

    def call(self, arguments: str, surroundings: Surroundings) -> ToolOutcome:
        """Work with the model's own text, which must be strict JSON of the arguments; else `ToolFailedError`."""
        try:
            given = msgspec.json.decode(arguments, type=self.arguments)
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise ToolFailedError(f"the arguments are not right: {error}") from error
        return self.work(given, surroundings)


def _schema(arguments: type[Arguments]) -> JsonSchema:
    """Return the arguments' JSON Schema with its own object at the top, where providers look for it."""
    schema: dict[str, Any] = msgspec.json.schema(arguments)
    parts: dict[str, Any] = schema["$defs"]
    top: dict[str, Any] = parts.pop(arguments.__name__)
    return {**top, **({"$defs": parts} if parts else {})}
