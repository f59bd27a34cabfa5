"""What goes into and comes out of the steps that begin, hand over and fail an execution of a run.

In-flight executions run the old machine: unknown fields are ignored, and a new field has a default.
"""

from dataclasses import dataclass
from enum import StrEnum

from plinth.contracts.events import StepEnded
from plinth.contracts.runs import ModelCost, Run


class ResumeAt(StrEnum):
    """The states of the machine at which an execution may begin."""

    GATHER_CONTEXT = "GatherContext"
    CALL_MODEL = "CallModel"
    RUN_TOOLS = "RunTools"


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """Where an execution begins, and what it goes on with: all that the machine carried, but the run's name.

    `turns` were recalled, `turn` is the model's next one; the others are as in the inputs of the steps. `losses` counts
    the executions of the run that were lost; `because` is that of `RunResumed`. `tool_calls` is how many tools the
    turn's reply asks for, where the tools come next.
    """

    resume_at: ResumeAt = ResumeAt.GATHER_CONTEXT
    resumes_at: float = 0.0
    turn: int = 1
    attempt: int = 1
    position: int = 0
    after: str = ""
    last_model: str = ""
    turns: int = 0
    cache_key: str | None = None
    near_key: str | None = None
    summary_due: bool = False
    calls: tuple[ModelCost, ...] = ()
    steps: tuple[StepEnded, ...] = ()
    losses: int = 0
    because: str = "time"
    tool_calls: int = 0


BEGINNING = Continuation()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRunInput:
    """`owner` is the execution's own name: a retry of the same execution wins its claim again.

    `started_at` is when the execution began, in Unix seconds; 0 stands for now.
    """

    run: Run
    owner: str
    started_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRunOutput:
    """`claimed` is false where another execution holds the run; this one must then end silently.

    `run` is the run with this execution's deadline.
    """

    claimed: bool
    run: Run
    continuation: Continuation = BEGINNING


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveContinuationInput:
    """`machine` is the ARN of the machine that starts the next execution: the one that runs."""

    run: Run
    machine: str
    continuation: Continuation


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveContinuationOutput:
    """The epoch of the execution that goes on."""

    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailRunInput:
    """`error` is the class name that Step Functions hands to a Catch; `owner` the execution that failed."""

    run: Run
    owner: str
    error: str
    calls: tuple[ModelCost, ...] = ()
    steps: tuple[StepEnded, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FailRunOutput:
    reason: str
