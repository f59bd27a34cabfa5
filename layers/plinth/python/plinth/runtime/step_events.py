"""Which finished steps a log still lacks: they ride along with other writes, and a retry carries them again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plinth.contracts.answering import SaveAnswerInput
from plinth.contracts.events import LoggedEvent, StepEnded
from plinth.contracts.executions import FailRunInput
from plinth.money.platform import ENDING_UNITS
from plinth.runtime.steps import ended_so_far
from plinth.runtime.streaming import next_attempt
from plinth.wiring import Services


def unlogged(steps: Iterable[StepEnded], logged: Sequence[LoggedEvent]) -> list[StepEnded]:
    """Return the steps that the log does not hold yet, in order."""
    known = [entry.event for entry in logged if isinstance(entry.event, StepEnded)]
    return [step for step in steps if step not in known]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSteps:
    """The steps for the log's last batch: those that it lacks, then the one that writes it, until now; and all.

    `attempt` is the number that text of this batch has: above 1 where a lost execution has streamed some.
    """

    unlogged: tuple[StepEnded, ...]
    all: tuple[StepEnded, ...]
    attempt: int


def last_steps(request: SaveAnswerInput | FailRunInput, services: Services) -> LastSteps:
    """Return the steps of a run that ends now."""
    logged = services.run_log.read(request.run.tenant, request.run.id, after=0)
    known = (entry.event for entry in logged if isinstance(entry.event, StepEnded))
    last = (*unlogged(request.steps, logged), ended_so_far(writing=ENDING_UNITS))
    return LastSteps(unlogged=last, all=(*known, *last), attempt=next_attempt(logged))
