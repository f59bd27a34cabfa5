"""That Anthropic's SDK over a scripted loopback server (not the vendor) gives whole answers or one typed error."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from plinth.adapters.anthropic_model import AnthropicModel
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
from plinth.errors import (
    ModelBusyError,
    ModelError,
    ModelNotConfiguredError,
    ModelRequestRefusedError,
    ModelStreamCutError,
    ModelUnavailableError,
)

LIMITS = TimeLimits(total_seconds=5.0, first_seconds=5.0, stall_seconds=5.0)
REQUEST = ModelRequest(
    model="claude-haiku-5-5",
    prompt=Prompt(version="test", system="Be brief.", messages=(Message(role=Role.USER, text="Is it?"),)),
    max_output_tokens=50,
    limits=LIMITS,
)
START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-5-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 7,
            "cache_read_input_tokens": 3,
            "cache_creation_input_tokens": 2,
            "output_tokens": 1,
        },
    },
}
STOP = {"type": "message_stop"}


def text(content: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": content}}


def ended(stop_reason: str) -> dict[str, Any]:
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    return {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 5}}


@dataclass
class Script:
    """What the server answers, and what it was asked."""

    events: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    drip: bytes = b""
    left: threading.Event = field(default_factory=threading.Event)
    asked: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def model(script: Script) -> Iterator[AnthropicModel]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            script.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            failed = script.status != 200
            body = (
                json.dumps(script.events[0]).encode()
                if failed
                else b"".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode() for each in script.events)
            )
            self.send_response(script.status)
            self.send_header("content-type", "application/json" if failed else "text/event-stream")
            self.send_header("content-length", str(len(body) + (100 if script.cut else 0) + 60 * len(script.drip)))
            for name, value in script.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            with suppress(OSError):
                for _ in range(60 if script.drip else 0):
                    if not script.left.wait(0.05):
                        self.wfile.write(script.drip)

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield AnthropicModel(api_key="test", base_url=f"http://127.0.0.1:{server.server_port}")
    script.left.set()
    server.shutdown()
    thread.join()
    server.server_close()


def error(kind: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": "no"}}


def test_a_whole_stream_is_its_text_and_an_end_with_all_tokens(script: Script, model: AnthropicModel) -> None:
    script.events = [START, text("Yes"), text("."), ended("end_turn"), STOP]

    assert list(model.stream(REQUEST)) == [
        TextChunk(text="Yes"),
        TextChunk(text="."),
        ModelEnd(stop_reason=StopReason.END, usage=Usage(input_tokens=9, output_tokens=5, cached_input_tokens=3)),
    ]
    (asked,) = script.asked
    assert (asked["system"], asked["max_tokens"], asked["stream"]) == ("Be brief.", 50, True)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("stop_sequence", StopReason.END),
        ("max_tokens", StopReason.MAX_TOKENS),
        ("model_context_window_exceeded", StopReason.MAX_TOKENS),
        ("refusal", StopReason.REFUSAL),
    ],
)
def test_each_stop_reason_has_one_name(script: Script, model: AnthropicModel, theirs: str, ours: StopReason) -> None:
    script.events = [START, text("Yes"), ended(theirs), STOP]

    *_, end = model.stream(REQUEST)

    assert isinstance(end, ModelEnd)
    assert end.stop_reason is ours


@pytest.mark.guarantee_f
@pytest.mark.parametrize(
    "events",
    [[START], [START, text("Yes")], [START, text("Yes"), ended("end_turn")], [START, text("Yes"), ended("new"), STOP]],
    ids=["after the start", "after text", "before message_stop", "with an unknown stop reason"],
)
def test_a_stream_that_ends_early_is_never_an_answer(
    script: Script, model: AnthropicModel, events: list[dict[str, Any]]
) -> None:
    script.events = events

    with pytest.raises(ModelStreamCutError):
        list(model.stream(REQUEST))


@pytest.mark.guarantee_f
def test_a_connection_that_breaks_off_is_the_provider_being_unavailable(script: Script, model: AnthropicModel) -> None:
    script.events, script.cut = [START, text("Yes")], True

    with pytest.raises(ModelUnavailableError):
        list(model.stream(REQUEST))


@pytest.mark.guarantee_f
@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (429, "rate_limit_error", ModelBusyError),
        (529, "overloaded_error", ModelBusyError),
        (500, "api_error", ModelUnavailableError),
        (502, "api_error", ModelUnavailableError),
        (400, "invalid_request_error", ModelRequestRefusedError),
        (401, "authentication_error", ModelNotConfiguredError),
        (403, "permission_error", ModelNotConfiguredError),
        (413, "request_too_large", ModelRequestRefusedError),
    ],
)
def test_a_refused_call_is_made_once_and_gets_its_name(
    script: Script, model: AnthropicModel, status: int, kind: str, expected: type[ModelError]
) -> None:
    script.status, script.events = status, [error(kind)]

    with pytest.raises(expected):
        list(model.stream(REQUEST))

    assert len(script.asked) == 1


@pytest.mark.guarantee_f
def test_the_providers_wish_when_to_come_back_is_kept(script: Script, model: AnthropicModel) -> None:
    script.status, script.events, script.headers = 429, [error("rate_limit_error")], {"retry-after": "7"}

    with pytest.raises(ModelBusyError) as busy:
        list(model.stream(REQUEST))

    assert busy.value.retry_after_seconds == 7.0


@pytest.mark.guarantee_f
def test_an_overload_inside_a_good_answer_is_still_an_overload(script: Script, model: AnthropicModel) -> None:
    script.events = [START, text("Yes"), error("overloaded_error")]

    with pytest.raises(ModelBusyError):
        list(model.stream(REQUEST))


@pytest.mark.guarantee_f
def test_an_address_where_nothing_listens_is_the_provider_being_unavailable() -> None:
    model = AnthropicModel(api_key="test", base_url="http://127.0.0.1:9")

    with pytest.raises(ModelUnavailableError):
        list(model.stream(REQUEST))


@pytest.mark.guarantee_f
@pytest.mark.parametrize("drip", [b'event: ping\ndata: {"type": "ping"}\n\n', b":"], ids=["pings", "bytes"])
def test_a_provider_that_only_keeps_the_connection_alive_ends_the_call_in_its_time(
    script: Script, model: AnthropicModel, drip: bytes
) -> None:
    script.events, script.drip = [START, text("Yes")], drip
    started = time.monotonic()

    with pytest.raises(ModelStreamCutError, match="time for the call was up"):
        list(model.stream(replace(REQUEST, limits=replace(LIMITS, total_seconds=0.4))))

    assert time.monotonic() - started < 1.5


@pytest.mark.guarantee_f
@pytest.mark.parametrize("seconds", [0.0, -3.0])
def test_a_call_without_any_time_is_not_made(script: Script, model: AnthropicModel, seconds: float) -> None:
    with pytest.raises(ModelStreamCutError):
        list(model.stream(replace(REQUEST, limits=replace(LIMITS, total_seconds=seconds))))

    assert script.asked == []
