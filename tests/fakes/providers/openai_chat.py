"""How a script sounds in the OpenAI chat protocol, as OpenAI, vLLM and llama.cpp speak it."""

import json
from collections.abc import Iterator
from typing import Any

from plinth.contracts.models import StopReason, Usage
from tests.fakes.providers.scripts import Fault, Script

COMMENT = b": keep alive\n\n"
_WORDS = {
    StopReason.END: "stop",
    StopReason.MAX_TOKENS: "length",
    StopReason.TOOL_USE: "tool_calls",
    StopReason.REFUSAL: "stop",
    StopReason.CONTENT_FILTER: "content_filter",
}
_CODES = {
    "busy": "rate_limit_exceeded",
    "broken": "server_error",
    "no_credit": "insufficient_quota",
    "too_long": "context_length_exceeded",
}


def refusal(fault: Fault) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body."""
    return fault.status, {}, json.dumps(_error(_CODES.get(fault.code))).encode()


def error_event(fault: Fault) -> bytes:
    """Return an error within a stream."""
    return _event(_error(_CODES.get(fault.code, fault.code)))


def garbled() -> bytes:
    """Return an event whose data is no JSON."""
    return b"data: {not json\n\n"


def events(script: Script, model: str) -> list[bytes]:
    """Return the stream, an event at a time."""
    return [*(_event(each) for each in _chunks(script, model)), b"data: [DONE]\n\n"]


def _chunks(script: Script, model: str) -> Iterator[dict[str, Any]]:
    yield _chunk(model, {"role": "assistant", "content": None})
    said = "refusal" if script.stop is StopReason.REFUSAL else "content"
    yield from (_chunk(model, {"reasoning_content": each}) for each in script.thinking)
    yield from (_chunk(model, {said: each}) for each in script.text)
    for index, call in enumerate(script.tool_calls):
        begun = {"index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        yield _chunk(model, {"tool_calls": [begun]})
        half = len(call.arguments) // 2
        for piece in (call.arguments[:half], call.arguments[half:]):
            yield _chunk(model, {"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield _chunk(model, {}, finish_reason=script.stop_word or _WORDS[script.stop])
    yield {"object": "chat.completion.chunk", "model": model, "choices": [], "usage": _usage(script.usage)}


def told(usage: Usage) -> Usage:
    """Return the usage as this protocol can tell it: it has no word for what a cache write costs."""
    return Usage(
        input_tokens=usage.input_tokens + usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
        cached_input_tokens=usage.cached_input_tokens,
        thinking_tokens=usage.thinking_tokens,
    )


def _usage(usage: Usage) -> dict[str, Any]:
    prompt = usage.input_tokens + usage.cache_write_tokens + usage.cached_input_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output_tokens,
        "total_tokens": prompt + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.thinking_tokens},
    }


def _chunk(model: str, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": model, "choices": [choice]}


def _error(code: str | None) -> dict[str, Any]:
    return {"error": {"message": "hidden words", "type": "invalid_request_error", "param": None, "code": code}}


def _event(content: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n".encode()
