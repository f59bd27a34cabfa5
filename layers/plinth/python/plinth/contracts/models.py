"""How Plinth talks to any model: one request, one vocabulary of stream events and stop reasons."""

from dataclasses import dataclass
from enum import StrEnum

from plinth.contracts.runs import ModelCost


class Role(StrEnum):
    """Who speaks a message."""

    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Everything a model is given. `version` names the template that made it."""

    version: str
    system: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One call. `model` is the provider's own id; `timeout_seconds` bounds the whole call."""

    model: str
    prompt: Prompt
    max_output_tokens: int
    timeout_seconds: float


class StopReason(StrEnum):
    """Why a model stopped. Only END is a whole answer."""

    END = "end"
    MAX_TOKENS = "max_tokens"
    REFUSAL = "refusal"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the provider counts them. `input_tokens` leaves out the `cached_input_tokens`."""

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextChunk:
    """More text, as the model makes it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEnd:
    """The last item of a whole stream: a stream without one was cut."""

    stop_reason: StopReason
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A finished model call: its text, why it stopped, what it cost, and which attempt at the text it was."""

    text: str
    stop_reason: StopReason
    cost: ModelCost
    attempt: int
