"""What a run's events add up to: the text that counts after resets, citations, receipt, steps and how it ended."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from plinth.contracts.events import (
    CitationFound,
    Event,
    LoggedEvent,
    ReceiptMade,
    Reset,
    RunEnded,
    StepEnded,
    StepTried,
    TextDelta,
)
from plinth.contracts.runs import Citation, Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSoFar:
    """Everything that the events of one run have said until now."""

    text: str = ""
    attempt: int = 0
    citations: tuple[Citation, ...] = ()
    steps: tuple[StepEnded | StepTried, ...] = ()
    receipt: Receipt | None = None
    ended: RunEnded | None = None


def add(so_far: AnswerSoFar, event: Event) -> AnswerSoFar:
    """Return the answer with one more event. Text of an attempt that was reset never comes back."""
    match event:
        case TextDelta() if event.attempt >= so_far.attempt:
            kept = so_far.text[: event.offset] if event.attempt == so_far.attempt else ""
            so_far = replace(so_far, text=kept + event.text, attempt=event.attempt)
        case Reset() if event.attempt >= so_far.attempt:
            so_far = replace(so_far, text="", attempt=event.attempt)
        case CitationFound():
            so_far = replace(so_far, citations=(*so_far.citations, event.citation))
        case StepEnded() | StepTried():
            so_far = replace(so_far, steps=(*so_far.steps, event))
        case ReceiptMade():
            so_far = replace(so_far, receipt=event.receipt)
        case RunEnded():
            so_far = replace(so_far, ended=event)
        case _:
            pass
    return so_far


def collect(events: Iterable[LoggedEvent]) -> AnswerSoFar:
    """Return what all these events add up to."""
    so_far = AnswerSoFar()
    for logged in events:
        so_far = add(so_far, logged.event)
    return so_far
