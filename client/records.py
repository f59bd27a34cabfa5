"""What the API answers around the published words: a run as it stands, a place to upload to, a page of documents.

Fields that a newer API adds are ignored.
"""

from dataclasses import dataclass, field

from plinth.contracts.approvals import Approval
from plinth.contracts.context_orders import ContextEstimate
from plinth.contracts.conversations import Conversation, Fact, ModelSummary
from plinth.contracts.erasing import ErasureState, SignedReceipt
from plinth.contracts.exporting import ExportState
from plinth.contracts.memory import DocumentRecord
from plinth.contracts.runs import Answer, Failure, Receipt, RunStatus, Turn
from plinth.money.usage import UsageLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as it stands, times in Unix seconds; one that was only just accepted has no more than `id` and `status`."""

    id: str
    status: RunStatus
    created_at: float | None = None
    ended_at: float | None = None
    answer: Answer | None = None
    receipt: Receipt | None = None
    failure: Failure | None = None
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Where to send a document's bytes: the request is signed for exactly this method and these headers."""

    url: str
    method: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDocument:
    """A document that waits for its bytes."""

    document: DocumentRecord
    upload: Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedImport:
    """What the contexts of an announced import will cost."""

    contexts: ContextEstimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationList:
    """Conversations, the latest first."""

    conversations: tuple[Conversation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationTurns:
    """The turns of a conversation, oldest first, and what a model made of older ones."""

    turns: tuple[Turn, ...]
    summary: ModelSummary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactList:
    """Facts, the newest first."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDeletion:
    """A document that is being erased, and by which erasure."""

    erasure_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """An erasure as it stands; `receipt` is there once its state is done."""

    id: str
    state: ErasureState
    removed: dict[str, int] = field(default_factory=dict[str, int])
    receipt: SignedReceipt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An export as it stands; `records` counts the lines of each folder."""

    id: str
    tenant: str
    state: ExportState
    expires_at: int
    files: int = 0
    records: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedFile:
    """A file of an export, and where it can be got for some minutes without a key."""

    path: str
    size_bytes: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedFiles:
    """Some files; `next` continues the list, and is None at its end."""

    files: tuple[LinkedFile, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPage:
    """Some documents; `next` continues the list, and is None at its end."""

    documents: tuple[DocumentRecord, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFile:
    """A file of an import whose bytes are not there yet, by its hash, and where they go."""

    sha256: str
    upload: Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFiles:
    """The next files to upload; none when all are there."""

    files: tuple[MissingFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrice:
    """Micro-dollars per million tokens, with where and when they were read."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    source: str
    as_of: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model or a route that the caller may name; a route has the `models` that it may ask, and no price."""

    id: str
    kind: str
    owned_by: str
    context_window: int
    max_output_tokens: int
    capabilities: tuple[str, ...]
    price: ModelPrice | None = None
    models: tuple[str, ...] = ()
    summary_micro_usd: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """What the tenant used between two days, both included: a line per name, and the sum."""

    first_day: str
    last_day: str
    by: str
    lines: tuple[UsageLine, ...]
    total: UsageLine


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelList:
    """Every model and route that the caller's tier may use."""

    data: tuple[Model, ...]
