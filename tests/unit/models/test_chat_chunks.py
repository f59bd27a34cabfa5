"""Rules of reading an OpenAI-compatible chat stream."""

import itertools
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.adapters.chat_chunks import chat_body, read_chat
from plinth.contracts.models import (
    Message,
    ModelEnd,
    ModelRequest,
    Prompt,
    Role,
    StopReason,
    TextChunk,
    TimeLimits,
    Usage,
)
from plinth.errors import ModelStreamCutError, ModelUnavailableError

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

LIMITS = TimeLimits(total_seconds=1, first_seconds=1, stall_seconds=1)


def events(*chunks: object) -> bytes:
    lines = [f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n" for chunk in chunks]
    return "".join([": ping\n\n", *lines, "data: [DONE]\n\n"]).encode()


def json_lines(*chunks: object) -> bytes:
    return "\n".join(json.dumps(chunk, ensure_ascii=False) for chunk in chunks).encode()


def read(*pieces: bytes) -> tuple[str, ModelEnd]:
    *texts, end = list(read_chat(pieces))
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
            list(read_chat([stream[:length]]))


@pytest.mark.guarantee_f
@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]},
        {"choices": [{"delta": {"content": 7}}]},
        {"choices": [], "usage": {"prompt_tokens": -1, "completion_tokens": 1}},
    ],
    ids=["an unknown reason to stop", "text that is no text", "a negative count"],
)
def test_what_can_not_be_understood_is_never_a_whole_answer(chunk: object) -> None:
    with pytest.raises(ModelStreamCutError):
        list(read_chat([events(*CHUNKS, chunk)]))


def test_an_error_within_the_stream_is_the_models_failure() -> None:
    with pytest.raises(ModelUnavailableError):
        list(read_chat([events(*CHUNKS[:2], {"error": {"code": 500, "message": "out of memory"}})]))


@pytest.mark.parametrize(
    ("said", "meant"),
    [("length", StopReason.MAX_TOKENS), ("content_filter", StopReason.CONTENT_FILTER), ("eos_token", StopReason.END)],
)
def test_every_known_reason_to_stop_has_one_meaning(said: str, meant: StopReason) -> None:
    _, end = read(events(*CHUNKS[:3], {"choices": [{"delta": {}, "finish_reason": said}]}, CHUNKS[4]))

    assert end.stop_reason is meant


def test_the_body_puts_the_system_text_first_and_asks_for_the_bill() -> None:
    prompt = Prompt(version="v", system="Be brief.", messages=(Message(role=Role.USER, text="Hi"),))

    body = json.loads(chat_body(ModelRequest(model="m", prompt=prompt, max_output_tokens=5, limits=LIMITS)))

    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    assert (body["max_tokens"], body["stream_options"]) == (5, {"include_usage": True})
