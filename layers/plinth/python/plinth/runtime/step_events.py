"""Which finished steps a log still lacks: they ride along with other writes, and a retry carries them again."""

from collections.abc import Iterable, Sequence

from plinth.contracts.events import LoggedEvent, StepEnded


def unlogged(steps: Iterable[StepEnded], logged: Sequence[LoggedEvent]) -> list[StepEnded]:
    """Return the steps that the log does not hold yet, in order."""
    known = {entry.event for entry in logged if isinstance(entry.event, StepEnded)}
    return [step for step in steps if step not in known]
