"""The events of a run as a reader meets them; types that this client does not know are left out."""

from dataclasses import dataclass

import msgspec

from client.records import Citation, Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAccepted:
    """The first event."""

    model: str
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """A step of the chain finished; `started_at` is in Unix seconds, `cold` marks the first call of a function."""

    step: str
    started_at: float
    duration_ms: float
    cold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """More text of this attempt, from `offset` characters on."""

    text: str
    attempt: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """Drop the text of every attempt before this one."""

    attempt: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CitationFound:
    """The passage behind one [n] of the text."""

    citation: Citation


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptMade:
    """What the run cost."""

    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """The last event; a failed run says why."""

    status: str
    text_length: int = 0
    reason: str | None = None
    message: str | None = None


Event = RunAccepted | StepEnded | TextDelta | Reset | CitationFound | ReceiptMade | RunEnded

_KINDS: dict[str, type[Event]] = {
    "run.accepted": RunAccepted,
    "step.ended": StepEnded,
    "text.delta": TextDelta,
    "reset": Reset,
    "citation": CitationFound,
    "receipt": ReceiptMade,
    "run.ended": RunEnded,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """An event with its place in the run's log; `epoch` says which execution wrote it, `at` when (Unix seconds)."""

    seq: int
    epoch: int
    at: float
    event: Event


class _Tag(msgspec.Struct):
    type: str


class _Envelope(msgspec.Struct):
    seq: int
    epoch: int
    at: float
    event: msgspec.Raw


def decode(data: str) -> LoggedEvent | None:
    """Return the event in one server-sent `data`, or None for a type that this client does not know."""
    envelope = msgspec.json.decode(data, type=_Envelope)
    kind = _KINDS.get(msgspec.json.decode(envelope.event, type=_Tag).type)
    if kind is None:
        return None
    event = msgspec.json.decode(envelope.event, type=kind)
    return LoggedEvent(seq=envelope.seq, epoch=envelope.epoch, at=envelope.at, event=event)
