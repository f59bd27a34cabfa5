"""How a prompt is said in Anthropic's Messages API."""

from collections.abc import Iterator

import msgspec
from anthropic.types import MessageParam, TextBlockParam, ToolParam, ToolResultBlockParam, ToolUseBlockParam
from anthropic.types.message_create_params import MessageCreateParamsBase

from plinth.contracts.models import Message, ModelRequest, Role, ToolCall, ToolResult, ToolSpec
from plinth.errors import ModelRequestRefusedError

Block = TextBlockParam | ToolUseBlockParam | ToolResultBlockParam


def message_arguments(request: ModelRequest) -> MessageCreateParamsBase:
    """Return what `messages.create` is called with.

    With `keep_prompt` the provider caches everything up to the last block by itself, for five minutes.
    """
    prompt = request.prompt
    arguments = MessageCreateParamsBase(
        model=request.model,
        max_tokens=request.max_output_tokens,
        messages=[_message(message) for message in prompt.messages],
    )
    if prompt.system:
        arguments["system"] = prompt.system
    if prompt.tools:
        arguments["tools"] = [_tool(each) for each in prompt.tools]
    if prompt.answer_schema is not None:
        arguments["output_config"] = {"format": {"type": "json_schema", "schema": dict(prompt.answer_schema)}}
    if request.keep_prompt:
        arguments["cache_control"] = {"type": "ephemeral"}
    return arguments


def _message(message: Message) -> MessageParam:
    blocks = list(_blocks(message))
    content = blocks if message.tool_calls or message.tool_results else message.text
    if message.role is Role.USER:
        return {"role": "user", "content": content}
    return {"role": "assistant", "content": content}


def _blocks(message: Message) -> Iterator[Block]:
    """Yield the blocks in the order that the API wants: results first, calls last, no blank text."""
    for result in message.tool_results:
        yield _result(result)
    if message.text.strip():
        yield {"type": "text", "text": message.text}
    for call in message.tool_calls:
        yield _call(call)


def _result(result: ToolResult) -> ToolResultBlockParam:
    return {
        "type": "tool_result",
        "tool_use_id": result.call_id,
        "content": result.text,
        "is_error": result.failed,
    }


def _call(call: ToolCall) -> ToolUseBlockParam:
    try:
        arguments = msgspec.json.decode(call.arguments, type=dict[str, object])
    except msgspec.DecodeError as error:
        raise ModelRequestRefusedError(f"the prompt holds a call of {call.name} without arguments") from error
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments}


def _tool(tool: ToolSpec) -> ToolParam:
    return {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)}
