"""How Plinth talks to any model: one request, one vocabulary of stream events and stop reasons."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from plinth.contracts.runs import ModelCost

JsonSchema = Mapping[str, object]
"""A JSON Schema of type object, as providers take it."""


class Role(StrEnum):
    """Who speaks a message."""

    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool that the model may ask for."""

    name: str
    description: str
    parameters: JsonSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool that the model asks for. `arguments` is the model's own text: JSON only once it was strictly parsed."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool gave back for the call of that id; `failed` says that `text` tells what went wrong."""

    call_id: str
    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something said. Only the assistant asks for tools, and only the user's side answers with their results."""

    role: Role
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Everything a model is given. `version` names the template that made it.

    With `answer_schema` the text must be JSON of that schema. It is `tainted` unless every word that a model may heed
    is the caller's own or ours: passages, tools' results and earlier answers are not.
    """

    version: str
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    answer_schema: JsonSchema | None = None
    tainted: bool = True


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """How long a call may take, in seconds: in all, until the model first says anything, and between two things.

    `cancelled` is asked about once a second whether nobody wants the answer any more.
    """

    total_seconds: float
    first_seconds: float
    stall_seconds: float
    cancelled: Callable[[], bool] = _never


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One call. `model` is the provider's own id; `keep_prompt` asks its provider to cache the prompt's prefix."""

    model: str
    prompt: Prompt
    max_output_tokens: int
    limits: TimeLimits
    keep_prompt: bool = False


class StopReason(StrEnum):
    """Why a model stopped. Only END is a whole answer; REFUSAL and CONTENT_FILTER are answers too, never failures."""

    END = "end"
    MAX_TOKENS = "max_tokens"
    TOOL_USE = "tool_use"
    REFUSAL = "refusal"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the provider counts and bills them.

    A prompt is `input_tokens` + `cached_input_tokens` + `cache_write_tokens`; `output_tokens` hold `thinking_tokens`.
    """

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    thinking_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextChunk:
    """More text, as the model makes it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """The model says something that is not text (it thinks, it writes a tool call): it is alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEnd:
    """The last item of a whole stream: a stream without one was cut. `tool_calls` are complete, not yet parsed."""

    stop_reason: StopReason
    usage: Usage
    tool_calls: tuple[ToolCall, ...] = ()


StreamItem = TextChunk | Working | ModelEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """What a model's breaker says: `open_until` is when (Unix seconds) it may be asked again, or None for now.

    `failing` says that it failed since it last succeeded.
    """

    failing: bool
    open_until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A finished model call: its text, why it stopped, what it cost, and which attempt at the text it was."""

    text: str
    stop_reason: StopReason
    cost: ModelCost
    attempt: int
    tool_calls: tuple[ToolCall, ...] = ()
