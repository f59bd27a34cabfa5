"""How the parts of one HTTP request are read: path, parameters and body, each refused if it is not understood."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from local.search.engine import Engine
from local.search.errors import SearchRequestError, parsing_error
from local.search.searching import SourceFilter

Json = dict[str, object]
Body = TypeVar("Body")
Answer = tuple[int, Json | None]

SHARDS: Json = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
SOURCE_PARAMETERS = ("_source", "_source_includes", "_source_excludes")


@dataclass(frozen=True)
class Call:
    """One request: the names in its path, its parameters and its body."""

    engine: Engine
    path: Mapping[str, str]
    parameters: Mapping[str, str]
    body: bytes

    @property
    def index(self) -> str:
        """The index named in the path."""
        return self.path["index"]

    def flag(self, name: str) -> bool:
        """Return whether a parameter is set; `wait_for` counts as true, since a refresh is immediate."""
        value = self.parameters.get(name, "false")
        if value not in ("", "true", "false", "wait_for"):
            raise SearchRequestError(f"[{name}] must be true, false or wait_for, not [{value}]")
        return value != "false"

    def number(self, name: str, default: int) -> int:
        """Return a parameter that is a whole number from 0."""
        value = self.parameters.get(name, str(default))
        if not value.isdecimal():
            raise SearchRequestError(f"Failed to parse int parameter [{name}] with value [{value}]")
        return int(value)

    def source_filter(self) -> bool | SourceFilter:
        """Which fields of the source the parameters ask for."""
        wanted = self.parameters.get("_source", "true")
        if wanted == "false":
            return False
        includes = self.parameters.get("_source_includes", "" if wanted == "true" else wanted)
        excludes = self.parameters.get("_source_excludes", "")
        if not includes and not excludes:
            return True
        return SourceFilter(includes=includes.split(",") if includes else [], excludes=excludes.split(","))


Handler = Callable[[Call], Answer]


def read_body(body: bytes, shape: type[Body]) -> Body:
    """Return a JSON body of a known shape; an empty one is an empty object."""
    try:
        return msgspec.json.decode(body or b"{}", type=shape)
    except msgspec.DecodeError as error:
        raise parsing_error(f"{error}") from error
