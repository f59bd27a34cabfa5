"""How a question is followed to its answer, with the two times that a person feels: first text, and end."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from client.answers import AnswerSoFar, add
from client.api import PlinthApi, Question
from plinth.contracts.events import ApprovalNeeded, Event
from plinth.contracts.runs import RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedRun:
    """A run that has ended; the times count from the moment of asking."""

    run_id: str
    answer: AnswerSoFar
    first_text_seconds: float | None
    total_seconds: float

    @property
    def is_done(self) -> bool:
        """Whether there is an answer; otherwise `answer.ended` says why not."""
        return self.answer.ended is not None and self.answer.ended.status is RunStatus.DONE


def _nobody(_run_id: str, _asked: ApprovalNeeded) -> None:
    """Leave the decision to somebody else."""


def ask(
    api: PlinthApi,
    question: Question,
    *,
    hear: Callable[[Event], None],
    decide: Callable[[str, ApprovalNeeded], None] = _nobody,
) -> FollowedRun:
    """Ask and return the ended run; `hear` gets every event as it comes. An interrupt cancels the run.

    `decide` gets the run's id and what a person must approve before the run goes on.
    """
    asked_at, so_far, first_text_seconds = time.monotonic(), AnswerSoFar(), None
    run = api.create_run(question)
    try:
        for logged in api.events(run.id):
            so_far = add(so_far, logged.event)
            if so_far.text and first_text_seconds is None:
                first_text_seconds = time.monotonic() - asked_at
            hear(logged.event)
            if isinstance(logged.event, ApprovalNeeded):
                decide(run.id, logged.event)
    except KeyboardInterrupt:
        api.cancel_run(run.id)
        raise
    return FollowedRun(
        run_id=run.id,
        answer=so_far,
        first_text_seconds=first_text_seconds,
        total_seconds=time.monotonic() - asked_at,
    )
