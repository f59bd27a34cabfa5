"""CheckAnswerable: ask whether the passages hold an answer at all, before a model is asked for one."""

from plinth.contracts import CheckAnswerableInput, CheckAnswerableOutput
from plinth.runtime import step
from plinth.runtime.answerability import check
from plinth.runtime.snapshots import MODEL_CALLS, import_before_snapshot
from plinth.wiring import Services


def check_answerable(request: CheckAnswerableInput, services: Services) -> CheckAnswerableOutput:
    """Say no where nothing was found, or no name asked for, or where the model says so; a failure says nothing."""
    return check(request, services)


handler = step(check_answerable)
import_before_snapshot(MODEL_CALLS)
