"""Which finished steps a log still lacks: they ride along with other writes, and a retry carries them again."""

from collections.abc import Iterable, Sequence

from plinth.contracts.answering import FailRunInput, SaveAnswerInput
from plinth.contracts.events import LoggedEvent, StepEnded
from plinth.runtime.steps import ended_so_far
from plinth.wiring import Services


def unlogged(steps: Iterable[StepEnded], logged: Sequence[LoggedEvent]) -> list[StepEnded]:
    """Return the steps that the log does not hold yet, in order."""
    known = {entry.event for entry in logged if isinstance(entry.event, StepEnded)}
    return [step for step in steps if step not in known]


def last_steps(request: SaveAnswerInput | FailRunInput, services: Services) -> list[StepEnded]:
    """Return the steps for the log's last batch: those that it lacks, then the one that writes it, until now."""
    logged = services.run_log.read(request.run.tenant, request.run.id, after=0)
    return [*unlogged(request.steps, logged), ended_so_far()]
