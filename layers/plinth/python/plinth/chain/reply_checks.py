"""Whether what a model ended with is an answer: said, strict JSON where JSON was asked for, tool calls that can run."""

from collections.abc import Sequence
from typing import NoReturn

import jsonschema_rs

from plinth.contracts.models import JsonSchema, ModelEnd, Prompt, StopReason, ToolCall, ToolSpec
from plinth.contracts.strict_json import parse_strictly
from plinth.errors import ModelOutputSpentError, ModelReplyInvalidError

_OBJECT: JsonSchema = {"type": "object"}


class _NoAnswerError(ValueError):
    """Why a reply is none; the message quotes nothing of it."""


def require_answer(text: str, end: ModelEnd, prompt: Prompt) -> None:
    """Raise `ModelReplyInvalidError`, with its bill, for a whole stream that is no answer to the prompt.

    A refusal and an answer that reached its limit are answers; one that reached it before a word was said, all of it
    spent on thinking, is none: `ModelOutputSpentError`. Tool calls count with the stop reason TOOL_USE alone,
    and nothing is repaired: one that was cut can look like a smaller one that is whole.
    """
    if end.stop_reason is StopReason.MAX_TOKENS and not text.strip():
        raise ModelOutputSpentError("the reply reached its limit before a word was said", usage=end.usage)
    try:
        if end.stop_reason is StopReason.TOOL_USE:
            _require_runnable(end.tool_calls, prompt.tools)
        elif end.stop_reason is StopReason.END:
            _require_said(text, prompt.answer_schema)
    except _NoAnswerError as error:
        raise ModelReplyInvalidError(f"the reply is no answer: {error}", usage=end.usage) from error


def _require_said(text: str, schema: JsonSchema | None) -> None:
    if not text.strip():
        raise _NoAnswerError("it is empty")
    if schema is not None:
        _require_fit(text, schema)


def _require_runnable(calls: Sequence[ToolCall], tools: Sequence[ToolSpec]) -> None:
    schemas = {tool.name: tool.parameters for tool in tools}
    if not calls:
        raise _NoAnswerError("it stopped for a tool and named none")
    for call in calls:
        if call.name not in schemas:
            raise _NoAnswerError("it asks for a tool that was not offered")
        _require_fit(call.arguments, {"allOf": [_OBJECT, schemas[call.name]]})


def _require_fit(text: str, schema: JsonSchema) -> None:
    """Let pass only strict JSON (no NaN, no name twice) of the schema, which may refer to nothing outside itself."""
    try:
        value = parse_strictly(text)
    except ValueError as error:
        raise _NoAnswerError(f"no strict JSON ({type(error).__name__})") from error
    validator = jsonschema_rs.validator_for(dict(schema), retriever=_refuse_reference)
    for failed in validator.iter_errors(value):
        place = "/".join(map(str, failed.schema_path))
        raise _NoAnswerError(f"it breaks the schema at {place}")


def _refuse_reference(uri: str) -> NoReturn:
    raise ValueError(uri)
