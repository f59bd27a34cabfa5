"""Rules of reading an OpenAI-compatible chat stream."""

import itertools
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.adapters.chat_bodies import OPENAI, chat_body
from plinth.adapters.chat_chunks import read_chat
from plinth.contracts.models import (
    Message,
    ModelEnd,
    ModelRequest,
    Prompt,
    Role,
    StopReason,
    TextChunk,
    TimeLimits,
    ToolCall,
    ToolResult,
    ToolSpec,
    Usage,
)
from plinth.errors import ModelError, ModelReplyInvalidError, ModelStreamCutError

CHUNKS = (
    {"choices": [{"delta": {"role": "assistant", "content": None}, "finish_reason": None}]},
    {"choices": [{"delta": {"content": "Grüße, "}}]},
    {"choices": [{"delta": {"content": "世界"}}]},
    {"choices": [{"delta": {}, "finish_reason": "stop"}]},
    {
        "choices": [],
        "usage": {"prompt_tokens": 30, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 20}},
    },
)
END = ModelEnd(stop_reason=StopReason.END, usage=Usage(input_tokens=10, output_tokens=4, cached_input_tokens=20))
COUNTS = {"prompt_tokens": 1, "completion_tokens": 1}

LIMITS = TimeLimits(total_seconds=1, first_seconds=1, stall_seconds=1)


def events(*chunks: object) -> bytes:
    lines = [f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n" for chunk in chunks]
    return "".join([": ping\n\n", *lines, "data: [DONE]\n\n"]).encode()


def json_lines(*chunks: object) -> bytes:
    return "\n".join(json.dumps(chunk, ensure_ascii=False) for chunk in chunks).encode()


def read(*pieces: bytes) -> tuple[str, ModelEnd]:
    *texts, end = list(read_chat(pieces, max_output_tokens=50))
    assert isinstance(end, ModelEnd)
    return "".join(chunk.text for chunk in texts if isinstance(chunk, TextChunk)), end


def cut_at(stream: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(edges)]


@given(st.lists(st.integers(min_value=0, max_value=len(events(*CHUNKS))), max_size=6))
def test_where_the_stream_is_cut_into_pieces_does_not_matter(places: list[int]) -> None:
    assert read(*cut_at(events(*CHUNKS), places)) == ("Grüße, 世界", END)
    assert read(*cut_at(json_lines(*CHUNKS), places)) == ("Grüße, 世界", END)


@pytest.mark.guarantee_f
@pytest.mark.parametrize("stream", [events(*CHUNKS), json_lines(*CHUNKS)], ids=["events", "lines"])
def test_a_stream_that_ends_early_is_never_a_whole_answer(stream: bytes) -> None:
    whole = stream.rindex(b"}") + 1

    for length in range(whole):
        with pytest.raises(ModelStreamCutError):
            list(read_chat([stream[:length]], max_output_tokens=50))


@pytest.mark.guarantee_f
@pytest.mark.parametrize(
    ("chunk", "error"),
    [
        ({"choices": [{"delta": {}, "finish_reason": "brand_new"}]}, ModelStreamCutError),
        ({"choices": [{"delta": {"content": 7}}]}, ModelReplyInvalidError),
        ({"choices": [], "usage": {"prompt_tokens": -1, "completion_tokens": 1}}, ModelReplyInvalidError),
        ({"choices": [], "usage": COUNTS | {"prompt_tokens_details": {"cached_tokens": -1}}}, ModelReplyInvalidError),
        (
            {"choices": [], "usage": COUNTS | {"completion_tokens_details": {"reasoning_tokens": -1}}},
            ModelReplyInvalidError,
        ),
    ],
    ids=["an unknown reason to stop", "text that is no text", "a negative count", "cached", "reasoning"],
)
def test_what_can_not_be_understood_is_never_a_whole_answer(chunk: object, error: type[ModelError]) -> None:
    told: list[Usage] = []

    with pytest.raises(error):
        list(read_chat([events(*CHUNKS, chunk)], max_output_tokens=50, tell=told.append))

    assert told[-1] == END.usage


def test_an_error_within_the_stream_is_the_models_failure() -> None:
    broken = events(*CHUNKS[:2], {"error": {"code": 500, "message": "out of memory"}})

    with pytest.raises(ModelStreamCutError, match="500"):
        list(read_chat([broken], max_output_tokens=50))


@pytest.mark.parametrize(
    ("said", "meant"),
    [("length", StopReason.MAX_TOKENS), ("content_filter", StopReason.CONTENT_FILTER), ("eos_token", StopReason.END)],
)
def test_every_known_reason_to_stop_has_one_meaning(said: str, meant: StopReason) -> None:
    _, end = read(events(*CHUNKS[:3], {"choices": [{"delta": {}, "finish_reason": said}]}, CHUNKS[4]))

    assert end.stop_reason is meant


REQUEST = ModelRequest(
    model="gpt",
    prompt=Prompt(
        version="v",
        system="Be brief.",
        messages=(
            Message(role=Role.USER, text="Hi"),
            Message(role=Role.ASSISTANT, text="", tool_calls=(ToolCall(id="c", name="look_up", arguments="{}"),)),
            Message(role=Role.USER, text="Well?", tool_results=(ToolResult(call_id="c", text="nine"),)),
        ),
        tools=(ToolSpec(name="look_up", description="Look.", parameters={"type": "object"}),),
        answer_schema={"type": "object"},
    ),
    max_output_tokens=5,
    limits=LIMITS,
)


def test_the_body_says_everything_in_order_and_asks_for_the_bill() -> None:
    body = json.loads(chat_body(REQUEST))

    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "nine"},
        {"role": "user", "content": "Well?"},
    ]
    assert body["tools"][0]["function"]["parameters"] == {"type": "object"}
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert body["stream_options"] == {"include_usage": True}


def test_each_dialect_names_the_limit_and_the_model_in_its_own_way() -> None:
    own, openai = json.loads(chat_body(REQUEST)), json.loads(chat_body(REQUEST, OPENAI))

    assert (own["max_tokens"], own["temperature"], own["model"]) == (5, 0, "")
    assert (openai["max_completion_tokens"], openai["model"]) == (5, "gpt")
    assert not {"max_tokens", "temperature"} & set(openai)


@pytest.mark.guarantee_f
def test_a_line_that_is_nested_too_deep_is_no_chat_chunk() -> None:
    with pytest.raises(ModelReplyInvalidError):
        read(b'data: {"x":' + b"[" * 50_000 + b"\n")
