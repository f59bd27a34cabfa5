"""Which actions a bulk body holds, and what the answer says about each."""

from dataclasses import dataclass
from typing import Literal

import msgspec

from local.search.errors import SearchRequestError
from local.search.mapping import Strict

Kind = Literal["index", "create", "delete"]
KINDS: tuple[Kind, ...] = ("index", "create", "delete")

# OpenSearch's limit on an identifier, in bytes of UTF-8.
LONGEST_ID = 512


class ActionMeta(Strict, frozen=True):
    """The first line of an action."""

    index: str | None = msgspec.field(name="_index", default=None)
    id: str | int | None = msgspec.field(name="_id", default=None)
    routing: str | None = None


class ActionLine(Strict, frozen=True):
    """Exactly one kind of action."""

    index: ActionMeta | None = None
    create: ActionMeta | None = None
    delete: ActionMeta | None = None


@dataclass(frozen=True)
class Action:
    """One change to one document of one index."""

    kind: Kind
    index: str
    id: str | None
    routing: str | None = None
    source: bytes = b""


@dataclass(frozen=True)
class Outcome:
    """What became of an action; `result` is created, updated, deleted or not_found."""

    id: str
    result: str
    version: int
    sequence: int
    routing: str | None = None

    @property
    def status(self) -> int:
        """The HTTP status of this action."""
        return {"created": 201, "not_found": 404}.get(self.result, 200)

    def body(self, index: str) -> dict[str, object]:
        """Return the action's part of an answer."""
        return {
            "_index": index,
            "_id": self.id,
            "_version": self.version,
            "result": self.result,
            "_shards": {"total": 1, "successful": 1, "failed": 0},
            "_seq_no": self.sequence,
            "_primary_term": 1,
        }


def read_actions(body: bytes, default_index: str | None) -> list[Action]:
    """Return the actions of a bulk body; raises SearchRequestError, naming the line, before any of them is applied."""
    if not body.endswith(b"\n"):
        raise SearchRequestError("The bulk request must be terminated by a newline [\\n]")
    lines = enumerate((line for line in body.split(b"\n") if line.strip()), start=1)
    actions: list[Action] = []
    for number, line in lines:
        kind, meta = _read_meta(number, line)
        source = b""
        if kind != "delete":
            _, source = next(lines, (number, b""))
            if not source:
                raise SearchRequestError(f"Malformed bulk request, line [{number}] has no document after it")
        index = meta.index or default_index
        if index is None:
            raise SearchRequestError(f"Validation Failed: index is missing in line [{number}]")
        actions.append(Action(kind, index, _read_id(number, kind, meta), meta.routing, source))
    if not actions:
        raise SearchRequestError("request body is required", kind="parse_exception")
    return actions


def _read_meta(number: int, line: bytes) -> tuple[Kind, ActionMeta]:
    try:
        action = msgspec.json.decode(line, type=ActionLine)
    except msgspec.DecodeError as error:
        reason = f"Malformed action/metadata line [{number}], expected one of [create, delete, index]: {error}"
        raise SearchRequestError(reason) from error
    metas = (action.index, action.create, action.delete)
    given: list[tuple[Kind, ActionMeta]] = [
        (kind, meta) for kind, meta in zip(KINDS, metas, strict=True) if meta is not None
    ]
    if len(given) != 1:
        raise SearchRequestError(f"Malformed action/metadata line [{number}], expected exactly one action")
    return given[0]


def _read_id(number: int, kind: Kind, meta: ActionMeta) -> str | None:
    if meta.id is None and kind != "delete":
        return None
    identifier = str(meta.id) if meta.id is not None else ""
    if not identifier or len(identifier.encode()) > LONGEST_ID:
        raise SearchRequestError(f"line [{number}]: _id must be 1 to {LONGEST_ID} bytes")
    return identifier
