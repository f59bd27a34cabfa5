"""What a run is: who asked what of which model, where it stands, and what came out."""

from dataclasses import dataclass
from enum import StrEnum

from plinth.contracts.access import NO_BUDGETS, Allowances, CachePolicy, ContentPolicy
from plinth.contracts.approvals import Approval
from plinth.contracts.platform import PlatformCost
from plinth.contracts.tenant import Tenant


class RunStatus(StrEnum):
    """Where a run stands."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    AWAITING_APPROVAL = "awaiting_approval"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether the run has ended, for good."""
        return self not in (RunStatus.ACCEPTED, RunStatus.RUNNING, RunStatus.AWAITING_APPROVAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The name of a run as every step carries it. `epoch` counts its executions and fences their effects.

    Times are Unix seconds. The run ends by its `deadline`, and the execution that carries this by `execution_deadline`;
    0 stands for the run's. What it leaves behind is gone at `keep_until`; 0 stands for 30 days after the deadline.
    What its steps hand to one another may be gone before, at `contents_until`.
    """

    id: str
    tenant: Tenant
    epoch: int
    deadline: float
    keep_until: int = 0
    contents_until: int = 0
    execution_deadline: float = 0.0

    @property
    def until(self) -> float:
        """When the execution that carries this must be over."""
        return self.execution_deadline or self.deadline

    @property
    def expires_at(self) -> int:
        """The Unix second from which nothing of the run can be read."""
        return self.keep_until or int(self.deadline) + 30 * 86_400

    @property
    def contents_expire_at(self) -> int:
        """The Unix second from which nothing can be read of what its steps hand to one another."""
        return self.contents_until or self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What the caller asked for, after validation. `max_output_tokens` is already clipped to the tier.

    `model` names a model or a route; `models` are those of it that the tier may use, in order.
    `cache` and `budgets` are the tier's; `key_id` names the API key that asked; `tools` are offered to the model,
    which answers in one of `max_turns` turns: each before it asks for tools.
    `labels` are the access labels that the caller holds, `metadata` the groups of its filter: see `SearchScope`.
    `fetch_hosts` and `link_hosts` are the tier's: whose pages tools may read, and whom an answer may link to.
    What is said and learnt is remembered until the Unix second `remember_until`; 0 is as long as the run is kept.
    `summary_model` sums up turns that are too old to be told whole; without one they are told in a line each.
    """

    question: str
    model: str
    user: str
    conversation_id: str | None = None
    max_output_tokens: int = 400
    models: tuple[str, ...] = ()
    cache: CachePolicy = CachePolicy.EXACT
    key_id: str = ""
    budgets: Allowances = NO_BUDGETS
    tools: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    metadata: tuple[tuple[str, ...], ...] = ()
    fetch_hosts: tuple[str, ...] = ()
    link_hosts: tuple[str, ...] = ()
    contents: ContentPolicy = ContentPolicy.REDACTED
    max_turns: int = 5
    remember_until: int = 0
    summary_model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A passage that the answer rests on. `marker` is the number in the answer's text; pages count from 1.

    `heading` is a path, as a `Passage` has it. It opens at
    `GET /v1/documents/{document_id}/passages/{position}?generation={generation}` while that version is live.
    """

    marker: int
    document_id: str
    name: str
    title: str
    text: str
    page: int | None = None
    heading: str | None = None
    start: int = 0
    end: int = 0
    position: int = 0
    generation: str = ""


ANSWERING = "CallModel"
"""The step whose model calls are the answer's; one of another step carries that one's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCost:
    """What one model call cost. Amounts are integer micro-dollars; tokens are the provider's own count.

    `outcome` is `complete` or the reason of the failure. A failed call that may be billed, but by a bill that nobody
    told, is `estimated`: it costs `bound_micro_usd`, the most that it can have cost. `prompt_cache_saved_micro_usd` is
    what the cached input would have cost more without the provider's cache, less what writing to it cost more. `step`
    made the call.
    """

    model: str
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost_micro_usd: int
    bound_micro_usd: int
    price_source: str
    price_as_of: str
    cache_write_tokens: int = 0
    thinking_tokens: int = 0
    prompt_cache_saved_micro_usd: int = 0
    outcome: str = "complete"
    estimated: bool = False
    step: str = ANSWERING


class CacheMatch(StrEnum):
    """How a cached answer was found: by the very question, or by one that is worded otherwise."""

    EXACT = "exact"
    SEMANTIC = "semantic"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLine:
    """What a budget had left after a run, in micro-dollars: that of `tenant`, `user` or `key`, in its day or month.

    What other runs have set aside counts as gone. `resets_at` is in Unix seconds.
    """

    scope: str
    window: str
    limit_micro_usd: int
    left_micro_usd: int
    resets_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a run cost: every model call that was made, failed ones too, and the platform's own work.

    `cached` answers call no model; what a lost execution had called before stands here all the same. `saved_micro_usd`
    is what the cached answer's own calls had cost, `match` how its question was found, and `age_seconds` how old it
    was. `budgets` are those with a limit; none are told where the ledger could not be read. A call that was made after
    the run's end is on its row's receipt, not on its log's.
    """

    model_calls: tuple[ModelCost, ...]
    model_cost_micro_usd: int
    cached: bool = False
    saved_micro_usd: int = 0
    prompt_cache_saved_micro_usd: int = 0
    match: CacheMatch | None = None
    age_seconds: float = 0.0
    platform: PlatformCost | None = None
    budgets: tuple[BudgetLine, ...] = ()


NOT_IN_DOCUMENTS = "not_in_documents"
"""The `stop_reason` of an answer that says that the documents hold none; it cites nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer of a run: text with [n] markers, and the passages those markers name.

    `documents` are the ids of all whose text the model had before it: the answer may rest on any of them.
    `stop_reason` is why the model stopped, or `NOT_IN_DOCUMENTS`.
    """

    text: str
    citations: tuple[Citation, ...]
    stop_reason: str
    model: str
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a run failed: a stable code, and a sentence for a person. Never the content."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as the API shows it. Times are Unix seconds. A run that is `unwanted` is to end as CANCELLED.

    `approvals` are the tool calls that it ever asked a person about.
    """

    id: str
    status: RunStatus
    epoch: int
    created_at: float
    deadline: float
    expires_at: int
    request: RunRequest
    answer: Answer | None = None
    receipt: Receipt | None = None
    failure: Failure | None = None
    ended_at: float | None = None
    unwanted: bool = False
    approvals: tuple[Approval, ...] = ()


CONTENT_SECONDS = 3600
"""How long after a run's deadline its contents live where nothing is to be read of them."""


def contents_until(policy: ContentPolicy, deadline: float) -> int:
    """Return the `contents_until` of a run."""
    return int(deadline) + CONTENT_SECONDS if policy is ContentPolicy.NOTHING else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """An open run that somebody must look after. An execution holds it until `leased_until`, a Unix time; 0 is none.

    Of one that is not `readable` only its tenant and its id are known.
    """

    run: Run
    status: RunStatus
    unwanted: bool
    leased_until: float = 0.0
    readable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """A key of one user's with the SHA-256 of the body that it came with (hex)."""

    key: str
    body_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """`run_id` is the run that the key stands for; `fresh` is false where an earlier request had made it."""

    run_id: str
    fresh: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question and its answer, at Unix time `at`, the model that gave it, and the documents it may rest on.

    `labels` are the access labels that its asker held: who lacks one of them is not reminded of it. It is what the run
    `run_id` left behind, and gone at `expires_at` (Unix seconds).
    """

    question: str
    answer: str
    at: float
    model: str = ""
    documents: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    run_id: str = ""
    expires_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedAnswer:
    """An answer kept for an identical question, and what its model call had cost."""

    answer: Answer
    cost_micro_usd: int
    saved_at: float
