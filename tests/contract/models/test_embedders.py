"""The contract of `Embedder`: the packaged model, and the same one behind an endpoint that speaks as TEI does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from plinth.adapters.onnx_embedder import OnnxEmbedder
from plinth.adapters.sagemaker_embedder import BATCH, EMBEDDING_CALLS, SageMakerEmbedder
from plinth.errors import MemoryUnavailableError, PlinthError
from plinth.ports.models import Embedder

OPENING = "The warehouse opens at nine in the morning."
PATH = "/endpoints/embedder/invocations"


class Tei(ThreadingHTTPServer):
    """Text Embeddings Inference behind the SageMaker runtime; `refusal` is (status, error type, body)."""

    daemon_threads = True

    def __init__(self, embedder: OnnxEmbedder | None) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.embedder = embedder
        self.refusal: tuple[int, str, dict[str, object]] | None = None
        self.batches: list[int] = []

    def client(self) -> Any:
        return boto3.client(
            "sagemaker-runtime",
            endpoint_url=f"http://127.0.0.1:{self.server_port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=EMBEDDING_CALLS,
        )


class _Answer(BaseHTTPRequestHandler):
    server: Tei

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert (self.path, given["normalize"], given["truncate"]) == (PATH, True, True)
        texts = given["inputs"]
        self.server.batches.append(len(texts))
        if self.server.refusal:
            status, kind, body = self.server.refusal
            self._send(status, body, **{"x-amzn-errortype": kind})
        elif len(texts) > BATCH or not all(texts):
            message = {"Message": "Received client error (413) from primary", "OriginalStatusCode": 413}
            self._send(424, message, **{"x-amzn-errortype": "ModelError"})
        else:
            self._send(200, self.server.embedder.embed(texts) if self.server.embedder else [])

    def _send(self, status: int, body: object, **headers: str) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@contextmanager
def running(embedder: OnnxEmbedder | None = None) -> Iterator[Tei]:
    with Tei(embedder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def onnx(embedding_directory: Path) -> OnnxEmbedder:
    return OnnxEmbedder(embedding_directory)


@pytest.fixture(scope="module")
def tei(onnx: OnnxEmbedder) -> Iterator[Tei]:
    with running(onnx) as server:
        yield server


@pytest.fixture(params=["onnx", "sagemaker"])
def embedder(request: pytest.FixtureRequest, onnx: OnnxEmbedder, tei: Tei) -> Embedder:
    return onnx if request.param == "onnx" else behind(tei)


def behind(tei: Tei) -> SageMakerEmbedder:
    return SageMakerEmbedder("embedder", model_id="some/model", client=tei.client())


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_a_vector_has_length_one_whatever_the_text(embedder: Embedder) -> None:
    for vector in embedder.embed([OPENING, "", "倉庫は九時に開く", "word " * 400]):
        assert cosine(vector, vector) == pytest.approx(1.0, abs=1e-5)


def test_near_meanings_are_nearer_than_near_words(embedder: Embedder) -> None:
    question, meaning, words = embedder.embed(
        ["What are the opening hours of the depot?", OPENING, "The depot of bones is an opening in a poem."]
    )

    assert cosine(question, meaning) > cosine(question, words)


def test_a_text_has_the_same_vector_in_any_company(embedder: Embedder) -> None:
    (alone,) = embedder.embed([OPENING])

    _, in_company = embedder.embed(["A much longer neighbour. " * 30, OPENING])

    assert in_company == pytest.approx(alone, abs=1e-6)


def test_no_text_is_no_vector(embedder: Embedder) -> None:
    assert embedder.embed([]) == []


def test_many_texts_keep_their_order(embedder: Embedder) -> None:
    texts = [f"shelf {number}" for number in range(BATCH + 1)]

    vectors = embedder.embed(texts)

    assert vectors[-1] == pytest.approx(embedder.embed(texts[-1:])[0], abs=1e-6)
    assert len(vectors) == len(texts)


def test_an_endpoint_gets_no_more_texts_at_once_than_it_takes(tei: Tei) -> None:
    tei.batches.clear()

    behind(tei).embed(["text"] * (BATCH + 1))

    assert tei.batches == [BATCH, 1]


def test_two_models_have_two_names(onnx: OnnxEmbedder, tei: Tei) -> None:
    assert onnx.model_id != behind(tei).model_id


MODEL_ERROR = {"Message": "Received server error (503)", "OriginalStatusCode": 503}


@pytest.mark.parametrize(
    "refusal",
    [(424, "ModelError", MODEL_ERROR), (429, "ThrottlingException", {}), (503, "ServiceUnavailable", {})],
    ids=["container", "throttled", "endpoint"],
)
def test_an_endpoint_that_is_busy_may_be_asked_again(refusal: tuple[int, str, dict[str, object]]) -> None:
    with running() as server:
        server.refusal = refusal

        with pytest.raises(MemoryUnavailableError, match="embedding endpoint"):
            behind(server).embed(["text"])


def test_an_endpoint_that_sleeps_or_does_not_exist_is_no_passing_fault() -> None:
    with running() as server:
        server.refusal = (400, "ValidationError", {"Message": "Inference Component has no capacity"})

        with pytest.raises(PlinthError, match="it must exist and run") as refused:
            behind(server).embed(["text"])

    assert not isinstance(refused.value, MemoryUnavailableError)


def test_an_answer_with_too_few_vectors_is_refused() -> None:
    with running() as server, pytest.raises(MemoryUnavailableError, match="0 vectors for 1 texts"):
        behind(server).embed(["text"])


def test_an_endpoint_that_nobody_listens_at_is_unavailable() -> None:
    with running() as server:
        gone = behind(server)

    with pytest.raises(MemoryUnavailableError, match="did not answer"):
        gone.embed(["text"])
