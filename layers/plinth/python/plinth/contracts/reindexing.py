"""A reindex: a new index filled beside the one that is searched, the switch, and the end of the one that is left."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from plinth.contracts.memory import DocumentVersion


class ReindexState(StrEnum):
    """Where a reindex stands.

    FILLING: searches read the old index. SWITCHING, SWITCHED: they read the new one; the old one is written on and can
    be gone back to. RELEASING, RELEASED: what is left is written no more, and goes. CANCELLING: the new one is left.
    """

    FILLING = "filling"
    SWITCHING = "switching"
    SWITCHED = "switched"
    CANCELLING = "cancelling"
    RELEASING = "releasing"
    RELEASED = "released"
    DONE = "done"
    CANCELLED = "cancelled"


OVER = frozenset({ReindexState.DONE, ReindexState.CANCELLED})
MAY_BE_CANCELLED = frozenset({ReindexState.FILLING, ReindexState.SWITCHING, ReindexState.SWITCHED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reindex:
    """The environment's one reindex, or its last. Times are in Unix seconds.

    `source` is where tenants began before, `target` the new index, `leaving` what goes at the end. Documents that the
    target lacks are taken in rounds; `left` is how many there were when this one began, `documents` how many at first.
    `reread` ones are read again from their objects; the others, and those that can't be, are copied.
    """

    id: str
    number: int
    state: ReindexState
    source: str
    target: str
    reread: bool
    started_at: float
    changed_at: float
    leaving: tuple[str, ...] = ()
    round: int = 0
    left: int = 0
    documents: int = 0
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledDocument:
    """One line of a round's list. `number` is that of the reindex."""

    document: DocumentVersion
    passages: int
    target: str
    number: int
    reread: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceReindexInput:
    """`round` is the last one that this execution has been through, 0 at first."""

    reindex_id: str
    reread: bool
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceReindexOutput:
    """What the machine does next; `manifest` is a key in the work bucket. `stuck`: a round got nowhere."""

    next: Literal["fill", "wait", "stuck", "end"]
    round: int = 0
    manifest: str = ""
    at_once: int = 1
    wait_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FillDocumentInput:
    """`document` is the version, and the try, that was live when the round was planned, with so many `passages`.

    `copied` were written by the call before, and are only waited for.
    """

    document: DocumentVersion
    passages: int
    target: str
    copied: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FillDocumentOutput:
    """`stale`: another version is live by now, so that whatever the target got of this one has to go.

    `awaited`: the copy is written, and the next call, which is told so, looks whether a search counts it.
    """

    copied: int
    stale: bool
    awaited: bool = False
