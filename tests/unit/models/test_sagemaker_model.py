"""Rules of asking a SageMaker endpoint, against a loopback server that can fail in every way."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.models.eventstream import payload_part, stream_error
from plinth.adapters.sagemaker_inferences import QUEUE_CALLS, SageMakerInferences
from plinth.adapters.sagemaker_model import SageMakerModel, patient_for
from plinth.chain.catalogue import Provider
from plinth.contracts.models import Message, ModelEnd, ModelRequest, Prompt, Role, TextChunk, TimeLimits, Working
from plinth.contracts.tenant import Tenant
from plinth.errors import (
    ModelBusyError,
    ModelError,
    ModelNotConfiguredError,
    ModelReplyInvalidError,
    ModelRequestRefusedError,
    ModelSilentError,
    ModelStreamCutError,
    ModelUnavailableError,
    ModelWakingError,
    StoreUnavailableError,
)
from plinth.wiring import Services

TEXT = b'{"choices": [{"delta": {"content": "Nine."}}]}\n'
STOP = b'{"choices": [{"delta": {}, "finish_reason": "stop"}]}\n'
BILL = b'{"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}\n'
WHOLE = payload_part(TEXT) + payload_part(STOP + BILL)


class Endpoint:
    """A SageMaker runtime on loopback that answers every call with `reply`."""

    def __init__(self) -> None:
        self.calls = 0
        self.reply: Reply = streams(WHOLE)
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                endpoint.calls += 1
                self.rfile.read(int(self.headers["content-length"]))
                with suppress(OSError):
                    endpoint.reply(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def model(self) -> SageMakerModel:
        return SageMakerModel("any", connect=lambda seconds: self.client(patient_for(seconds)))

    def client(self, config: Config) -> Any:
        make: Any = boto3.client
        return make(
            "sagemaker-runtime",
            endpoint_url=f"http://127.0.0.1:{self.server.server_port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=config,
        )


Reply = Callable[[BaseHTTPRequestHandler], None]


def send_chunk(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    if body:
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))


def streams(body: bytes, *, then: Callable[[BaseHTTPRequestHandler], object] = lambda _: None) -> Reply:
    """Answer with a chunk of event-stream bytes, run `then`, and close the connection."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "application/vnd.amazon.eventstream")
        handler.send_header("transfer-encoding", "chunked")
        handler.send_header("connection", "close")
        handler.end_headers()
        send_chunk(handler, body)
        then(handler)
        handler.wfile.write(b"0\r\n\r\n")

    return reply


NO_COPIES = "Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress"


def fails(kind: str, status: int, **body: object) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        content = json.dumps({"Message": "the prompt was: secret", **body}).encode()
        handler.send_response(status)
        handler.send_header("x-amzn-errortype", kind)
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return reply


@pytest.fixture(scope="module")
def served() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    thread = threading.Thread(target=endpoint.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield endpoint
    endpoint.server.shutdown()
    endpoint.server.server_close()
    thread.join()


@pytest.fixture
def endpoint(served: Endpoint) -> Endpoint:
    served.calls = 0
    return served


def ask(timeout_seconds: float = 5.0) -> ModelRequest:
    prompt = Prompt(version="v", system="Answer.", messages=(Message(role=Role.USER, text="When?"),))
    limits = TimeLimits(total_seconds=timeout_seconds, first_seconds=9, stall_seconds=9)
    return ModelRequest(model="m", prompt=prompt, max_output_tokens=9, limits=limits)


def test_a_whole_stream_is_its_text_and_one_end(endpoint: Endpoint) -> None:
    endpoint.reply = streams(WHOLE)

    text, *signs, end = list(endpoint.model().stream(ask()))

    assert text == TextChunk(text="Nine.")
    assert all(isinstance(each, Working) for each in signs)
    assert isinstance(end, ModelEnd)
    assert end.usage.input_tokens == 9


@pytest.mark.guarantee_f
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (fails("ModelNotReadyException", 429), ModelBusyError),
        (fails("ThrottlingException", 400), ModelBusyError),
        (fails("ModelError", 424, OriginalStatusCode=503), ModelBusyError),
        (fails("ModelError", 424, OriginalStatusCode=400), ModelRequestRefusedError),
        (fails("ModelError", 424, OriginalStatusCode=500), ModelUnavailableError),
        (fails("ValidationError", 400), ModelRequestRefusedError),
        (fails("ValidationError", 400, Message=NO_COPIES), ModelWakingError),
        (fails("InternalFailure", 500), ModelUnavailableError),
        (streams(payload_part(TEXT) + stream_error("broke")), ModelStreamCutError),
        (streams(payload_part(TEXT)[:-4] + b"\0\0\0\0" + payload_part(STOP + BILL)), ModelReplyInvalidError),
    ],
    ids=[
        "loading",
        "throttled",
        "full",
        "too long",
        "crashed",
        "unknown",
        "scaled to zero",
        "down",
        "broken off",
        "garbled",
    ],
)
def test_every_failure_is_one_typed_error_after_one_attempt_without_the_prompt(
    endpoint: Endpoint, reply: Reply, error: type[ModelError]
) -> None:
    endpoint.reply = reply

    with pytest.raises(ModelError) as caught:
        list(endpoint.model().stream(ask()))

    assert type(caught.value) is error
    assert "secret" not in str(caught.value)
    assert endpoint.calls == 1


def test_a_long_inference_is_asked_for_once_though_its_queue_breaks(endpoint: Endpoint) -> None:
    endpoint.reply = fails("InternalFailure", 500)
    inferences = SageMakerInferences("any", client=endpoint.client(QUEUE_CALLS), s3=boto3.client("s3"), bucket="work")

    with pytest.raises(StoreUnavailableError):
        inferences.start("one", Tenant(id="acme"), b"{}")

    assert endpoint.calls == 1


@pytest.mark.guarantee_f
def test_a_stream_cut_after_any_byte_is_never_a_whole_answer(endpoint: Endpoint) -> None:
    model = endpoint.model()

    for length in range(0, len(WHOLE), 9):
        endpoint.reply = streams(WHOLE[:length])
        with pytest.raises(ModelStreamCutError):
            list(model.stream(ask()))


@pytest.mark.guarantee_f
@pytest.mark.parametrize("sent", [b"", payload_part(TEXT)], ids=["before the first word", "after it"])
def test_a_silent_model_ends_the_call_in_its_time(endpoint: Endpoint, sent: bytes) -> None:
    released = threading.Event()
    endpoint.reply = streams(sent, then=lambda _: released.wait(20))
    started = time.monotonic()

    with pytest.raises(ModelSilentError, match="time for the call was up"):
        list(endpoint.model().stream(ask(timeout_seconds=0.3)))

    assert time.monotonic() - started < 10
    released.set()


@pytest.mark.guarantee_f
def test_a_model_that_sends_a_byte_now_and_then_ends_the_call_in_its_time(endpoint: Endpoint) -> None:
    released = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        for byte in payload_part(TEXT)[:60]:
            if not released.wait(0.05):
                send_chunk(handler, bytes([byte]))

    endpoint.reply = streams(payload_part(TEXT), then=drip)
    started = time.monotonic()

    with pytest.raises(ModelSilentError, match="time for the call was up"):
        list(endpoint.model().stream(ask(timeout_seconds=0.4)))

    assert time.monotonic() - started < 10
    released.set()


@pytest.mark.guarantee_f
@pytest.mark.parametrize("seconds", [0.0, -3.0])
def test_a_call_without_any_time_is_not_made(endpoint: Endpoint, seconds: float) -> None:
    with pytest.raises(ModelUnavailableError):
        list(endpoint.model().stream(ask(timeout_seconds=seconds)))

    time.sleep(0.1)
    assert endpoint.calls == 0


@pytest.mark.parametrize("provider", ["sagemaker", "sagemaker_openai", "openai", "anthropic"])
def test_an_environment_that_names_no_endpoint_and_no_key_is_not_configured_for_their_models(
    monkeypatch: pytest.MonkeyPatch, provider: Provider
) -> None:
    for name in ("MODEL_ENDPOINT", "ANTHROPIC_SECRET_ARN", "OPENAI_SECRET_ARN"):
        monkeypatch.delenv(f"PLINTH_{name}", raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")

    with pytest.raises(ModelNotConfiguredError, match="PLINTH_"):
        Services().language_model(provider)


def test_an_endpoint_that_nobody_serves_is_unavailable() -> None:
    nobody = Endpoint()
    nobody.server.server_close()

    with pytest.raises(ModelUnavailableError):
        list(nobody.model().stream(ask()))


def test_leaving_a_stream_early_closes_the_connection_so_that_the_model_can_stop(endpoint: Endpoint) -> None:
    noticed = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        try:
            for _ in range(300):
                send_chunk(handler, payload_part(TEXT))
                time.sleep(0.01)
        except OSError:
            noticed.set()

    endpoint.reply = streams(b"", then=drip)
    stream = endpoint.model().stream(ask())
    next(stream)
    del stream

    assert noticed.wait(2)
