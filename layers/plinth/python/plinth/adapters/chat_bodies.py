"""How a prompt is said in the OpenAI chat protocol, in the dialect of who listens."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from plinth.contracts.models import Message, ModelRequest, Role, ToolSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """In what the servers of one protocol differ.

    `temperature` of 0 makes the same passages and question give the same answer, as far as a server can keep that.
    """

    max_tokens: Literal["max_tokens", "max_completion_tokens"]
    temperature: float | None
    names_model: bool


OPENAI = Dialect(max_tokens="max_completion_tokens", temperature=None, names_model=True)
"""OpenAI's newer models refuse `max_tokens` and any temperature (their API reference, November 2026)."""

SELF_HOSTED = Dialect(max_tokens="max_tokens", temperature=0, names_model=False)
"""vLLM and llama.cpp on an endpoint of their own, where vLLM refuses a model name that it does not know."""


def chat_body(request: ModelRequest, dialect: Dialect = SELF_HOSTED) -> bytes:
    """Return the JSON body of a streamed chat completion that ends with its usage."""
    prompt = request.prompt
    body: dict[str, object] = {
        "model": request.model if dialect.names_model else "",
        "messages": [*_system(prompt.system), *(each for message in prompt.messages for each in _said(message))],
        dialect.max_tokens: request.max_output_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if dialect.temperature is not None:
        body["temperature"] = dialect.temperature
    if prompt.tools:
        body["tools"] = [_tool(each) for each in prompt.tools]
    if prompt.answer_schema is not None:
        schema = {"name": "answer", "schema": prompt.answer_schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return msgspec.json.encode(body)


def _system(text: str) -> Iterator[dict[str, object]]:
    if text:
        yield {"role": "system", "content": text}


def _said(message: Message) -> Iterator[dict[str, object]]:
    """Yield the results of tools, each a message of its own here, and what was said."""
    for result in message.tool_results:
        yield {"role": "tool", "tool_call_id": result.call_id, "content": result.text}
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in message.tool_calls
    ]
    if message.role is Role.ASSISTANT and calls:
        yield {"role": "assistant", "content": message.text or None, "tool_calls": calls}
    elif message.text or not message.tool_results:
        yield {"role": message.role.value, "content": message.text}


def _tool(tool: ToolSpec) -> dict[str, object]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}
