"""What is erased, how far an erasure has come, and what its receipt says.

The machine's own states carry an erasure's id and counts only: names of people stay in its row until it has ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from plinth.contracts.tenant import Tenant


class Extent(StrEnum):
    """How much is erased: one document, what belongs to one user, or all of a tenant."""

    DOCUMENT = "document"
    USER = "user"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is to be erased: the document of this id, the user of this name, or the tenant itself.

    `object_name` is a document's own name; `began_at` (Unix seconds) is when it was hidden: no answer begun later
    could use it.
    """

    extent: Extent
    tenant: Tenant
    name: str
    object_name: str = ""
    began_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedPage:
    """What became of some rows or objects of a store: `left` must wait for something to end, and is tried again.

    `after` is where the store goes on, None at its end.
    """

    removed: int = 0
    left: int = 0
    after: str | None = None


class ErasureState(StrEnum):
    """Where an erasure stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where an erasure goes on: in which step, at which of its stores, behind what."""

    step: str = ""
    store: int = 0
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """A copy that no erasure reaches: what it is, in which store, and the day (YYYY-MM-DD, UTC) it is gone by."""

    store: str
    what: str
    gone_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureReceipt:
    """What was removed where, and what expires when. Times are Unix seconds.

    `subject_sha256` is the SHA-256 (hex) of `<extent>:<tenant>/<name>`: the receipt proves whose data went without
    keeping the name. `removed` counts rows, objects and passages by store; a count may be low by a page whose
    function crashed after it removed it. The last of `passes` over every store found nothing.
    """

    id: str
    extent: Extent
    tenant: str
    subject_sha256: str
    began_at: float
    ended_at: float
    passes: int
    removed: Mapping[str, int]
    expires: tuple[Expiry, ...]
    format: str = "plinth-erasure-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReceipt:
    """The receipt as the bytes that were signed (UTF-8 JSON), and the ECDSA signature over their SHA-256, in base64."""

    document: str
    signature: str
    key_id: str
    algorithm: str = "ECDSA_SHA_256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """An erasure as its row stands. `clean_from` is the earliest second at which a last pass may begin.

    `turn` rises with every write; `removed` and `left` of the pass that runs say whether another one is needed.
    """

    id: str
    target: Target
    state: ErasureState
    subject_sha256: str
    clean_from: float
    turn: int = 0
    passes: int = 0
    pass_began_at: float = 0.0
    pass_removed: int = 0
    pass_left: int = 0
    removed: Mapping[str, int] = field(default_factory=dict[str, int])
    position: Position = Position()
    ended_at: float | None = None
    receipt: SignedReceipt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseObjectsInput:
    erasure_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseObjectsOutput:
    """`done` is false where the step has more to remove than one call of it can."""

    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseIndexInput:
    erasure_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseIndexOutput:
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseRowsInput:
    erasure_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseRowsOutput:
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SignReceiptInput:
    erasure_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignReceiptOutput:
    """`signed` is false where another pass over all stores is needed, `wait_seconds` from now."""

    signed: bool
    wait_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FailErasureInput:
    """`error` is the name that Step Functions hands to a Catch."""

    erasure_id: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailErasureOutput:
    state: ErasureState
