"""The events of a run log: what a reader of `/v1/runs/{id}/events` can meet, and nothing else.

Every event carries `type`; the log adds `seq` (order within the run, from 1), `epoch` (which execution wrote it)
and `at` (Unix seconds). Text carries the attempt and the offset in characters, so that a reader who sees a `reset`
drops what the earlier attempt wrote. The JSON Schema is docs/generated/events.schema.json.
"""

import msgspec

from plinth.contracts.approvals import Decision
from plinth.contracts.platform import Spent
from plinth.contracts.runs import Answer, Citation, Receipt, RunStatus

Details = dict[str, str | int | float | bool]
"""What a step can tell of itself beside its time, by the names of its contract's fields."""


class RunAccepted(msgspec.Struct, frozen=True, tag="run.accepted", kw_only=True):
    """The first event: the run was written down and will be worked on."""

    model: str
    conversation_id: str | None = None


class StepEnded(msgspec.Struct, frozen=True, tag="step.ended", kw_only=True):
    """A chain step ended. `started_at` is in Unix seconds; `cold` says whether this was its function's first call.

    `outcome` is `ok` or the name of the error that ended the step. A failed step's time is its state's: from the
    first attempt to the last. The step that ends the run counts its time until it writes this, and so does `Api`, the
    function that wrote the run down. `spent` is what the call used beside its time, where it could still say so.
    Its state was entered at `entered_at`, and tried `retry` times before. `details` are never content.
    """

    step: str
    started_at: float
    duration_ms: float
    cold: bool = False
    outcome: str = "ok"
    spent: Spent | None = None
    entered_at: float | None = None
    retry: int = 0
    details: Details = {}


class StepTried(msgspec.Struct, frozen=True, tag="step.tried", kw_only=True):
    """A try of a step failed, and its state may try again: `retry` tries came before it. `outcome` names the error.

    A function that is killed, throttled or without its store leaves none; the next try's `retry` still counts it.
    """

    step: str
    started_at: float
    duration_ms: float
    outcome: str
    cold: bool = False
    entered_at: float | None = None
    retry: int = 0
    details: Details = {}


class RunResumed(msgspec.Struct, frozen=True, tag="run.resumed", kw_only=True):
    """Another execution goes on with the run; nothing that an earlier one still writes comes after this.

    `because` is `time` where the earlier one had too little of it left, `lost` where it, or its call, was lost, and
    `approval` where it waited for a person.
    """

    because: str


class ApprovalNeeded(msgspec.Struct, frozen=True, tag="approval.needed", kw_only=True):
    """The run waits until a person has decided about this tool call: see `Approval`."""

    call: str
    tool: str
    arguments: str
    arguments_sha256: str
    expires_at: float


class ApprovalDecided(msgspec.Struct, frozen=True, tag="approval.decided", kw_only=True):
    """What became of a call that a person was asked about; nobody is named where nobody decided."""

    call: str
    tool: str
    arguments_sha256: str
    decision: Decision
    user: str = ""
    key_id: str = ""


class TextDelta(msgspec.Struct, frozen=True, tag="text.delta", kw_only=True):
    """More of the answer's text, from `offset` characters on, of this attempt."""

    text: str
    attempt: int
    offset: int


class Reset(msgspec.Struct, frozen=True, tag="reset", kw_only=True):
    """Drop the text of every attempt before this one."""

    attempt: int
    reason: str


class CitationFound(msgspec.Struct, frozen=True, tag="citation", kw_only=True):
    """The passage behind one [n] of the text."""

    citation: Citation


class ReceiptMade(msgspec.Struct, frozen=True, tag="receipt", kw_only=True):
    """What the run cost."""

    receipt: Receipt


class RunEnded(msgspec.Struct, frozen=True, tag="run.ended", kw_only=True):
    """The last event. A failed run says why, and a done one whose answer is not in the documents says that.

    `text_length` lets a reader check that it has the whole text.
    """

    status: RunStatus
    text_length: int = 0
    reason: str | None = None
    message: str | None = None


Event = (
    RunAccepted
    | RunResumed
    | StepEnded
    | StepTried
    | ApprovalNeeded
    | ApprovalDecided
    | TextDelta
    | Reset
    | CitationFound
    | ReceiptMade
    | RunEnded
)


class LoggedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the log keeps it."""

    seq: int
    epoch: int
    at: float
    event: Event


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is written down with: the events behind `run.accepted`, and the answer where these end the run."""

    events: tuple[Event, ...]
    answer: Answer | None = None


NOTHING_MORE = Beginning(events=())
