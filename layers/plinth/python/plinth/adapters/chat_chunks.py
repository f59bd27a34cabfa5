"""What the bytes of an OpenAI-compatible chat stream mean, however they are cut into pieces.

Server-sent events (OpenAI, llama.cpp, vLLM) and bare JSON lines (LMI) carry the same chunks.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Annotated

import msgspec

from plinth.adapters.http_lines import bounded
from plinth.adapters.provider_failures import broken_off, told
from plinth.adapters.tool_calls import OutputBound, ToolCalls
from plinth.contracts.models import ModelEnd, StopReason, StreamItem, TextChunk, Usage, Working
from plinth.errors import ModelReplyInvalidError, ModelStreamCutError

_STOP_REASONS: Mapping[str, StopReason] = {
    "stop": StopReason.END,
    "eos_token": StopReason.END,
    "stop_sequence": StopReason.END,
    "length": StopReason.MAX_TOKENS,
    "tool_calls": StopReason.TOOL_USE,
    "content_filter": StopReason.CONTENT_FILTER,
}
_DONE = b"[DONE]"
_NOT_DATA = (b":", b"event:", b"id:", b"retry:")

_Tokens = Annotated[int, msgspec.Meta(ge=0)]


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(msgspec.Struct):
    index: int = 0
    id: str | None = None
    function: _Function = msgspec.field(default_factory=_Function)


class _Delta(msgspec.Struct):
    """`reasoning_content` is llama.cpp's and older vLLM's name for what newer vLLM calls `reasoning`."""

    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    finish_reason: str | None = None


class _InputDetails(msgspec.Struct):
    cached_tokens: _Tokens | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: _Tokens | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: _Tokens
    completion_tokens: _Tokens
    prompt_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: dict[str, object] | str | None = None


def _nobody(_usage: Usage) -> None:
    """Leave it."""


def read_chat(
    pieces: Iterable[bytes], *, max_output_tokens: int, tell: Callable[[Usage], None] = _nobody
) -> Generator[StreamItem]:
    """Yield the text as it comes, `Working` for what is not text, and one `ModelEnd` last; `tell` hears the bill.

    Raises `ModelStreamCutError` unless both the reason to stop and the usage came: what has no bill is no answer.
    Raises `ModelReplyInvalidError` for what is no chat stream, or more than was asked for.
    """
    answer = _Answer(max_output_tokens, tell=tell)
    for line in _data_lines(bounded(pieces)):
        if line == _DONE and answer.told:  # a server may hold the connection long after its last word
            break
        yield from answer.take(line)
    yield answer.whole()


class _Answer:
    """What was said so far."""

    def __init__(self, max_output_tokens: int, *, tell: Callable[[Usage], None]) -> None:
        self.usage: Usage | None = None
        self._tell = tell
        self._bound = OutputBound(max_output_tokens)
        self._calls = ToolCalls()
        self._finish_reason: str | None = None
        self._refused = self._content = False

    @property
    def told(self) -> bool:
        """Whether both the reason to stop and the bill came."""
        return self._finish_reason is not None and self.usage is not None

    def take(self, line: bytes) -> Iterator[StreamItem]:
        if line == _DONE:
            return
        chunk = self._chunk(line)
        if chunk.usage is not None:
            self.usage = _counted(chunk.usage)
        for choice in chunk.choices:
            self._finish_reason = choice.finish_reason or self._finish_reason
            yield from self._said(choice.delta)
        if self._finish_reason is not None:
            yield Working()
        if self.usage is not None and self.told:  # before the end a server may tell what it has counted so far
            self._tell(self.usage)

    def whole(self) -> ModelEnd:
        stop_reason = _STOP_REASONS.get(self._finish_reason or "")
        if stop_reason is None or self.usage is None:
            raise ModelStreamCutError(
                f"the stream ended with finish reason {self._finish_reason!r} and usage {self.usage}"
            )
        calls = self._calls.complete()
        if self._refused:
            return ModelEnd(stop_reason=StopReason.REFUSAL, usage=self.usage)
        if calls and stop_reason is StopReason.END:  # a server that was told which tool to call ends with "stop"
            stop_reason = StopReason.TOOL_USE
        return ModelEnd(stop_reason=stop_reason, usage=self.usage, tool_calls=calls)

    def _said(self, delta: _Delta) -> Iterator[StreamItem]:
        calls = delta.tool_calls or []
        for call in calls:
            self._bound.count(call.function.arguments or "")
            self._calls.add(call.index, call.id, call.function.name, call.function.arguments or "")
        text = (delta.content or "") + (delta.refusal or "")
        self._refused = self._refused or bool(delta.refusal)
        self._content = self._content or bool(text or calls)
        if text:
            self._bound.count(text)
            yield TextChunk(text=text)
        elif calls or delta.reasoning or delta.reasoning_content:
            yield Working()

    def _chunk(self, line: bytes) -> _Chunk:
        try:
            chunk = msgspec.json.decode(line, type=_Chunk)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ModelReplyInvalidError("the stream holds a line that is no chat chunk") from error
        if chunk.error is not None:
            raise broken_off(told(200, chunk.error), content=self._content)
        return chunk


def _data_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the JSON of every whole line. A rest that is no whole JSON was cut off, and is for nobody to read."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from filter(None, map(_data, lines))
    last = _data(rest)
    if last and last != _DONE:
        try:
            msgspec.json.decode(last)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ModelStreamCutError("the stream ended in the middle of a line") from error
        yield last


def _data(line: bytes) -> bytes:
    data = line.removeprefix(b"data:").strip()
    return b"" if line.startswith(_NOT_DATA) else data


def _counted(usage: _Usage) -> Usage:
    read, made = usage.prompt_tokens_details, usage.completion_tokens_details
    cached = min(usage.prompt_tokens, (read.cached_tokens or 0) if read else 0)
    return Usage(
        input_tokens=usage.prompt_tokens - cached,
        output_tokens=usage.completion_tokens,
        cached_input_tokens=cached,
        thinking_tokens=min(usage.completion_tokens, (made.reasoning_tokens or 0) if made else 0),
    )
