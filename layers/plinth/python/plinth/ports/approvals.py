"""What a run asks a person, kept with the run."""

from collections.abc import Sequence
from typing import Protocol

from plinth.contracts.approvals import Approval
from plinth.contracts.events import Event
from plinth.contracts.executions import Continuation
from plinth.contracts.runs import Run


class Approvals(Protocol):
    """The wait of a run for a person. Each change is made with its events in the log, or not at all."""

    def ask(self, run: Run, approvals: Sequence[Approval], continuation: Continuation, events: Sequence[Event]) -> Run:
        """Give the run up as `Executions.hand_over` does, until a person has decided; return it as it then goes on.

        Until then it is AWAITING_APPROVAL, and overdue when the time to decide is over. Nobody's execution has it.
        `ModelCancelledError` for a run that nobody wants any more.
        """
        ...

    def decide(
        self, run: Run, before: Sequence[Approval], after: Sequence[Approval], events: Sequence[Event]
    ) -> Run | None:
        """Put decisions in place of how the approvals stood; return the run, or None where they stand otherwise.

        The last one lets the run go on: it is RUNNING, and whoever starts its machine can claim it.
        """
        ...

    def use(self, run: Run, call: str) -> bool:
        """Return whether this execution may make the approved call; it is True once, and for the run's own epoch."""
        ...
