"""How a script sounds in Anthropic's Messages stream."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from plinth.contracts.models import StopReason, Usage
from tests.fakes.providers.scripts import Fault, Script

COMMENT = b": keep alive\n\n"
_WORDS = {
    StopReason.END: "end_turn",
    StopReason.MAX_TOKENS: "max_tokens",
    StopReason.TOOL_USE: "tool_use",
    StopReason.REFUSAL: "refusal",
    StopReason.CONTENT_FILTER: "refusal",
}
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_CODES = {
    "busy": "overloaded_error",
    "broken": "api_error",
    "no_credit": "billing_error",
    "too_long": "invalid_request_error",
    "too_long_with_answer": "invalid_request_error",
    "credit_used_up": "invalid_request_error",
}
_MESSAGES = {
    "too_long": "prompt is too long: 1200000 tokens > 1000000 maximum",
    "too_long_with_answer": "input length and `max_tokens` exceed context limit: 190000 + 64000 > 200000, hidden words",
    "credit_used_up": "Your credit balance is too low to access the Anthropic API. Hidden words.",
}


def refusal(fault: Fault) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body. Anthropic has no code for a long prompt or used-up credit."""
    kind = _CODES.get(fault.code) or _KINDS.get(fault.status, "api_error")
    return fault.status, {}, json.dumps(_error(kind, _MESSAGES.get(fault.code, "hidden words"))).encode()


def error_event(fault: Fault) -> bytes:
    """Return an error within a stream."""
    return _event(_error(_CODES.get(fault.code, fault.code), "hidden words"))


def garbled() -> bytes:
    """Return an event whose data is no JSON."""
    return b"event: content_block_delta\ndata: {not json\n\n"


def events(script: Script, model: str) -> list[bytes]:
    """Return the stream, an event at a time."""
    return [_event(each) for each in _events(script, model)]


def _events(script: Script, model: str) -> Iterator[dict[str, Any]]:
    yield {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**_input(script.usage), "output_tokens": 1},
        },
    }
    indexes = count()
    if script.thinking:
        pieces = [{"type": "thinking_delta", "thinking": each} for each in script.thinking]
        signature = {"type": "signature_delta", "signature": "c2ln"}
        yield from _block(next(indexes), {"type": "thinking", "thinking": "", "signature": ""}, [*pieces, signature])
    if script.text:
        pieces = [{"type": "text_delta", "text": each} for each in script.text]
        yield from _block(next(indexes), {"type": "text", "text": ""}, pieces)
    for call in script.tool_calls:
        half = len(call.arguments) // 2
        pieces = [{"type": "input_json_delta", "partial_json": each} for each in _halves(call.arguments, half)]
        block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        yield from _block(next(indexes), block, pieces)
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": script.stop_word or _WORDS[script.stop], "stop_sequence": None},
        "usage": {
            "output_tokens": script.usage.output_tokens,
            "output_tokens_details": {"thinking_tokens": script.usage.thinking_tokens},
        },
    }
    yield {"type": "message_stop"}


def _block(index: int, block: dict[str, Any], deltas: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield {"type": "content_block_start", "index": index, "content_block": block}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _halves(text: str, middle: int) -> list[str]:
    return [text[:middle], text[middle:]]


def _input(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "cache_read_input_tokens": usage.cached_input_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
    }


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def _event(content: dict[str, Any]) -> bytes:
    return f"event: {content['type']}\ndata: {json.dumps(content, ensure_ascii=False)}\n\n".encode()
