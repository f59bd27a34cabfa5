"""What a trace tells of a run: times in milliseconds from the start of the first step, names and numbers."""

from dataclasses import dataclass, field

from plinth.contracts.access import ContentPolicy
from plinth.contracts.approvals import Decision
from plinth.contracts.events import Details
from plinth.contracts.runs import Failure, Receipt, RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedTry:
    """One try of a step that failed: the number of tries before it, when, how long, and the error's name."""

    retry: int
    start_ms: float
    duration_ms: float
    outcome: str
    cold: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedStep:
    """A step's last try. What it used is not told of one that died.

    `retries` tries came before it; `tries` are those that could leave a word. `wait_ms` is how long its state waited:
    for a free or a new function, and between tries. `details` are what the step tells of itself: model, tokens, cost,
    tool, prompt version. A step that failed for good, or is still tried, spans its state's whole time.
    """

    step: str
    start_ms: float
    duration_ms: float
    cold: bool
    outcome: str
    memory_mb: int
    read_units: float
    write_units: float
    searches: int
    epoch: int = 1
    retries: int = 0
    wait_ms: float = 0.0
    tries: list[TracedTry] = field(default_factory=list[TracedTry])
    details: Details = field(default_factory=Details)


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedReset:
    """Text that was dropped because its attempt failed."""

    at_ms: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedApproval:
    """A tool call that a person was asked about: when, and who decided what and when, with which key."""

    call: str
    tool: str
    arguments_sha256: str
    asked_ms: float
    decided_ms: float | None = None
    decision: Decision | None = None
    user: str = ""
    key_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedExecution:
    """An execution of the state machine that claimed the run, by its ARN. Express keeps no history of it."""

    epoch: int
    execution: str
    claimed_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContents:
    """What the run's steps handed to one another, by name, as far as its tier's `policy` lets it be read."""

    id: str
    policy: ContentPolicy
    question: str | None
    contents: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A run so far: its steps in the order of their starts, each call of a model on the receipt once it has ended.

    Of the time from the first step to the end of the last, `work_ms` is what any step was at work, and `wait_ms` the
    rest: what lies between steps, and waits for a model that asked for patience. `first_text_ms` is None without text;
    `began_at` is in Unix seconds, `providers` tells whose each model of its calls is.
    """

    id: str
    status: RunStatus
    model: str
    began_at: float
    first_text_ms: float | None
    work_ms: float
    wait_ms: float
    executions: list[TracedExecution]
    steps: list[TracedStep]
    resets: list[TracedReset]
    providers: dict[str, str]
    receipt: Receipt | None
    failure: Failure | None
    approvals: list[TracedApproval] = field(default_factory=list[TracedApproval])
