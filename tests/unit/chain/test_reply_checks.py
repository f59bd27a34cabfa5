"""What is an answer, and which tool calls could run."""

import pytest

from plinth.chain.reply_checks import require_answer
from plinth.contracts.models import Message, ModelEnd, Prompt, Role, StopReason, ToolCall, ToolSpec, Usage
from plinth.errors import ModelOutputSpentError, ModelReplyInvalidError

USAGE = Usage(input_tokens=10, output_tokens=5)
PAY = ToolSpec(
    name="pay",
    description="Pay an amount",
    parameters={
        "type": "object",
        "properties": {"amount": {"type": "integer", "minimum": 1}},
        "required": ["amount"],
        "additionalProperties": False,
    },
)


def judge(
    text: str = "",
    *calls: str,
    stop: StopReason = StopReason.END,
    schema: dict[str, object] | None = None,
    tool: str = "pay",
) -> None:
    prompt = Prompt(
        version="v", system="", messages=(Message(role=Role.USER, text="?"),), tools=(PAY,), answer_schema=schema
    )
    made = tuple(ToolCall(id=str(number), name=tool, arguments=arguments) for number, arguments in enumerate(calls))
    require_answer(text, ModelEnd(stop_reason=stop, usage=USAGE, tool_calls=made), prompt)


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_an_empty_answer_is_none_and_its_bill_is_known(text: str) -> None:
    with pytest.raises(ModelReplyInvalidError, match="empty") as raised:
        judge(text)

    assert raised.value.usage == USAGE


@pytest.mark.parametrize("stop", [StopReason.REFUSAL, StopReason.CONTENT_FILTER])
def test_a_refusal_and_a_filter_are_answers_even_without_text(stop: StopReason) -> None:
    judge("", stop=stop)


def test_an_answer_that_reached_its_limit_is_one_if_anything_was_said() -> None:
    judge("It opens", stop=StopReason.MAX_TOKENS)

    with pytest.raises(ModelOutputSpentError) as raised:
        judge(" \n", stop=StopReason.MAX_TOKENS)
    assert raised.value.usage == USAGE


def test_a_complete_call_of_an_offered_tool_is_an_answer() -> None:
    judge("", '{"amount": 100}', stop=StopReason.TOOL_USE)


@pytest.mark.guarantee_f
@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "{",
        '{"amount": 100',
        '{"amount": NaN}',
        '{"amount": Infinity}',
        '{"amount": 1, "amount": 9}',
        '{"amount": "100"}',
        '{"amount": 0}',
        "{}",
        '{"amount": 1, "to": "me"}',
        '[{"amount": 1}]',
        "null",
        '{"amount": 1} {"amount": 2}',
        "[" * 100_000,
    ],
)
def test_a_call_that_is_cut_loose_or_wrong_is_never_an_answer(arguments: str) -> None:
    with pytest.raises(ModelReplyInvalidError):
        judge("", arguments, stop=StopReason.TOOL_USE)


@pytest.mark.guarantee_f
def test_one_wrong_call_spoils_the_others() -> None:
    with pytest.raises(ModelReplyInvalidError):
        judge("", '{"amount": 1}', '{"amount": ', stop=StopReason.TOOL_USE)


def test_a_tool_that_was_not_offered_is_refused_without_quoting_the_model() -> None:
    with pytest.raises(ModelReplyInvalidError) as raised:
        judge("", "{}", stop=StopReason.TOOL_USE, tool="launch")

    assert "launch" not in str(raised.value)


def test_stopping_for_a_tool_without_naming_one_is_no_answer() -> None:
    with pytest.raises(ModelReplyInvalidError):
        judge("", stop=StopReason.TOOL_USE)


def test_an_answer_of_a_schema_must_be_strict_json_of_it() -> None:
    schema: dict[str, object] = {"type": "object", "required": ["name"]}
    judge('{"name": "apt"}', schema=schema)

    for text in ('{"name": "apt"', "apt", "{}"):
        with pytest.raises(ModelReplyInvalidError):
            judge(text, schema=schema)


def test_a_schema_can_make_nobody_fetch_anything() -> None:
    with pytest.raises(ValueError, match="retrieving it failed"):
        judge("{}", schema={"$ref": "http://127.0.0.1:1/schema"})
