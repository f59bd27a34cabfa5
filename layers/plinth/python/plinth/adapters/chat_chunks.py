"""What the bytes of an OpenAI-compatible chat stream mean, however they are cut into pieces.

Server-sent events (llama.cpp, vLLM) and bare JSON lines (LMI) carry the same chunks.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

import msgspec

from plinth.contracts.models import ModelEnd, ModelRequest, StopReason, TextChunk, Usage
from plinth.errors import ModelStreamCutError, ModelUnavailableError

_STOP_REASONS: Mapping[str, StopReason] = {
    "stop": StopReason.END,
    "eos_token": StopReason.END,
    "stop_sequence": StopReason.END,
    "length": StopReason.MAX_TOKENS,
    "content_filter": StopReason.CONTENT_FILTER,
}
_NOT_DATA = (b":", b"event:", b"id:", b"retry:")

_Tokens = Annotated[int, msgspec.Meta(ge=0)]


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    finish_reason: str | None = None


class _CachedTokens(msgspec.Struct):
    cached_tokens: _Tokens | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: _Tokens
    completion_tokens: _Tokens
    prompt_tokens_details: _CachedTokens | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: dict[str, object] | str | None = None


def chat_body(request: ModelRequest) -> bytes:
    """Return the JSON body of a streamed chat completion that ends with its usage.

    Temperature 0: the same passages and question give the same answer, as far as the server can keep that.
    """
    messages = [{"role": "system", "content": request.prompt.system}]
    messages += [{"role": message.role.value, "content": message.text} for message in request.prompt.messages]
    return msgspec.json.encode(
        {
            "model": request.model,
            "messages": messages,
            "max_tokens": request.max_output_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    )


def read_chat(pieces: Iterable[bytes]) -> Iterator[TextChunk | ModelEnd]:
    """Yield the text as it comes and one `ModelEnd` last.

    Raises `ModelStreamCutError` unless both the reason to stop and the usage came: what has no bill is no answer.
    Raises `ModelUnavailableError` where the stream carries an error.
    """
    finish_reason: str | None = None
    usage: _Usage | None = None
    for chunk in map(_chunk, _data_lines(pieces)):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            finish_reason = choice.finish_reason or finish_reason
            if choice.delta.content:
                yield TextChunk(text=choice.delta.content)
    stop_reason = _STOP_REASONS.get(finish_reason or "")
    if stop_reason is None or usage is None:
        raise ModelStreamCutError(f"the stream ended with finish reason {finish_reason!r} and usage {usage}")
    yield ModelEnd(stop_reason=stop_reason, usage=_counted(usage))


def _chunk(line: bytes) -> _Chunk:
    try:
        chunk = msgspec.json.decode(line, type=_Chunk)
    except msgspec.DecodeError as error:
        raise ModelStreamCutError("the stream holds a line that is no chat chunk") from error
    if chunk.error is not None:
        raise ModelUnavailableError("the model server reports an error within the stream")
    return chunk


def _data_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for line in _lines(pieces):
        data = line.removeprefix(b"data:").strip()
        if data and data != b"[DONE]" and not line.startswith(_NOT_DATA):
            yield data


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    yield rest


def _counted(usage: _Usage) -> Usage:
    details = usage.prompt_tokens_details
    cached = min(usage.prompt_tokens, (details.cached_tokens or 0) if details else 0)
    return Usage(
        input_tokens=usage.prompt_tokens - cached,
        output_tokens=usage.completion_tokens,
        cached_input_tokens=cached,
    )
