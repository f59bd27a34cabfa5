"""What goes into and comes out of each step of the answer machine.

Content (question, passages, prompt, text) never travels in these: it stays in the run's own store, under the run.
Unknown fields are ignored and a new field has a default, because in-flight executions run the old machine.
"""

from dataclasses import dataclass
from enum import StrEnum

from plinth.contracts.events import StepEnded
from plinth.contracts.runs import CacheMatch, ModelCost, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieveContextInput:
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieveContextOutput:
    """`corpus_version` is read before the search, so that a cached answer is never newer than it claims.

    `doubtful` says that it is to be asked first whether the passages hold an answer at all.
    """

    passages: int
    corpus_version: int
    doubtful: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallConversationInput:
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallConversationOutput:
    """`digest` names the remembered turns; it is empty for a run without history. `last_model` gave the last answer.

    `summary_due` says that older turns are to be summed up, once the run has ended.
    """

    turns: int
    digest: str
    last_model: str = ""
    summary_due: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpAnswerInput:
    run: Run
    corpus_version: int
    conversation_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpAnswerOutput:
    """`cache_key` is where SaveAnswer stores a fresh answer, null for nowhere; `found` sends the run straight there.

    `near_key` is where it notes the question for questions worded otherwise. `saved_micro_usd` is what the cached
    answer's model call had cost, `saved_at` when it was kept (Unix seconds), `match` how it was found.
    """

    found: bool
    cache_key: str | None
    saved_micro_usd: int = 0
    near_key: str | None = None
    match: CacheMatch | None = None
    saved_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswerableInput:
    run: Run
    last_model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswerableOutput:
    """`answerable` is false only where that was told; then the run's answer says so. `calls` is what asking cost."""

    answerable: bool
    calls: tuple[ModelCost, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPromptInput:
    """`turns` is how many earlier turns were recalled; none are looked for where there were none.

    `turn` counts the model's turns in this run from 1: each but the first follows the results of tools.
    """

    run: Run
    turns: int = 0
    turn: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPromptOutput:
    """`hand_over` says that the next execution must call the model: this one might end before the call does."""

    prompt_version: str
    hand_over: bool = False


class CallOutcome(StrEnum):
    """COMPLETE says that the steps that were handed in are in the log: the machine carries them no further.

    RETRY asks the machine to wait `wait_seconds` and call again; FAILED ends the run with `error`.

    WAITING says that this wait is not over.
    """

    COMPLETE = "complete"
    RETRY = "retry"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallModelInput:
    """`attempt` counts the machine's calls from 1; `steps` are the finished steps to log with the first text.

    `position` is the model of the route to ask, `after` the reason for which the call before this one failed, and
    `last_model` the one that answered the conversation last. `attempt` begins anew with each `turn`. Before the Unix
    time `resumes_at` no call is made.
    """

    run: Run
    attempt: int
    turn: int = 1
    position: int = 0
    after: str = ""
    last_model: str = ""
    steps: tuple[StepEnded, ...] = ()
    resumes_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallModelOutput:
    """`calls` holds what this call cost, if one was made; `error` is the class of the failure, `reason` its code.

    `tool_calls` is how many tools the reply asks for; then it is no answer yet. `resumes_at` is when `wait_seconds` are
    over, or 0. `hand_over` says that the next execution must wait and call again, `asks_person` that a person must
    approve some of the calls first.
    """

    outcome: CallOutcome
    hand_over: bool = False
    wait_seconds: float = 0.0
    resumes_at: float = 0.0
    position: int = 0
    calls: tuple[ModelCost, ...] = ()
    tool_calls: int = 0
    asks_person: bool = False
    error: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunToolInput:
    """`number` counts the tools that the reply of this `turn` asks for, from 1."""

    run: Run
    turn: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunToolOutput:
    """Whether the tool did what it was asked; if not, the model is told why. `tool` is empty for one not offered.

    `outside` leaves the call to RunExternalTool.
    """

    done: bool
    tool: str = ""
    outside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunExternalToolInput:
    """`number` counts as it does for RunTool, which left the call to this step."""

    run: Run
    turn: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunExternalToolOutput:
    """Whether the tool did what it was asked; if not, the model is told why. `tool` is empty for one not offered."""

    done: bool
    tool: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseReplyInput:
    run: Run
    turn: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseReplyOutput:
    """`cacheable` is true only for a complete answer without tools: a cut or refused one is never given twice."""

    citations: int
    cacheable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveAnswerInput:
    """`cache_key` is null where the answer came from the cache or must not be kept; `steps` end the log.

    `near_key` counts only with it. An answer that is `declined` comes of no reply. `calls` are all model calls of the
    run, failed ones too. `match` and `saved_at` tell of a cached answer how it was found and when it was kept.
    """

    run: Run
    cached: bool
    cache_key: str | None
    calls: tuple[ModelCost, ...] = ()
    saved_micro_usd: int = 0
    steps: tuple[StepEnded, ...] = ()
    near_key: str | None = None
    match: CacheMatch | None = None
    saved_at: float = 0.0
    declined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveAnswerOutput:
    saved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SummarizeTurnsInput:
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class SummarizeTurnsOutput:
    """`turns` is how many more the conversation's summary tells; `calls` is what asking for it cost."""

    turns: int = 0
    calls: tuple[ModelCost, ...] = ()
