"""What the API returns, as frozen records: fields that a newer API adds are ignored."""

from dataclasses import dataclass

READY = "ready"
REFUSED = "refused"
DELETED = "deleted"
DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A passage that the answer rests on. `marker` is the [n] in the answer's text; pages count from 1."""

    marker: int
    document_id: str
    name: str
    title: str
    text: str
    page: int | None = None
    heading: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The text of an answer with its citations; `stop_reason` says whether it is whole (`end`)."""

    text: str
    citations: tuple[Citation, ...] = ()
    stop_reason: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCost:
    """What one model call cost, in integer micro-dollars; tokens are the provider's own count."""

    model: str
    input_tokens: int
    output_tokens: int
    cost_micro_usd: int
    cached_input_tokens: int = 0
    bound_micro_usd: int = 0
    price_source: str = ""
    price_as_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a run cost, in integer micro-dollars. A `cached` answer called no model."""

    model_calls: tuple[ModelCost, ...] = ()
    model_cost_micro_usd: int = 0
    cached: bool = False
    saved_micro_usd: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a run failed: a stable code and a sentence."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as it stands. `status` is accepted, running, done or failed; times are Unix seconds."""

    id: str
    status: str
    created_at: float | None = None
    ended_at: float | None = None
    answer: Answer | None = None
    receipt: Receipt | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document. `state` is awaiting_upload, ingesting, ready, refused, deleting or deleted; see `reason`, `message`.

    `generation` changes with each version that becomes searchable; `updated_at` is in Unix seconds.
    """

    document_id: str
    name: str
    state: str
    updated_at: float = 0.0
    size_bytes: int = 0
    title: str | None = None
    passages: int = 0
    generation: str | None = None
    reason: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Where to send a document's bytes: the request is signed for exactly this method and these headers."""

    url: str
    method: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDocument:
    """A document that waits for its bytes."""

    document: Document
    upload: Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPage:
    """Some documents; `next` continues the list, and is None at its end."""

    documents: tuple[Document, ...]
    next: str | None = None
