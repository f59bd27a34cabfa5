"""The cross-encoder on an endpoint: TEI's `/rerank` behind the SageMaker runtime, and the ways in which it fails."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest

from plinth.adapters.sagemaker_reranker import RERANK_CALLS, SageMakerReranker
from plinth.errors import MemoryUnavailableError
from plinth.ports.models import Reranker

TEXTS = ["It is green.", "It opens at nine.", "Opening hours: nine to five."]


class Tei(ThreadingHTTPServer):
    """Ranks texts by the words that they share with the query, best first, as TEI answers; `status` refuses."""

    daemon_threads = True

    def __init__(self, *, status: int = 200, keep: int | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.status = status
        self.keep = keep


class _Answer(BaseHTTPRequestHandler):
    server: Tei

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert (self.path, set(given)) == (
            "/endpoints/ranker/invocations",
            {"query", "texts", "truncate", "raw_scores"},
        )
        words = set(given["query"].lower().split())
        ranked = [
            {"index": number, "score": float(len(words & set(text.lower().split())))}
            for number, text in enumerate(given["texts"])
        ]
        ranked.sort(key=lambda each: -each["score"])
        self._send(self.server.status, ranked[: self.server.keep])

    def _send(self, status: int, body: object) -> None:
        content = json.dumps(body if status == 200 else {"Message": "no"}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@contextmanager
def running(**how: Any) -> Iterator[Reranker]:
    with Tei(**how) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        client = boto3.client(
            "sagemaker-runtime",
            endpoint_url=f"http://127.0.0.1:{server.server_port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=RERANK_CALLS,
        )
        try:
            yield SageMakerReranker("ranker", client=client)
        finally:
            server.shutdown()
            thread.join()


def test_scores_come_in_the_order_of_the_texts_whatever_order_the_endpoint_ranks_them_in() -> None:
    with running() as reranker:
        assert reranker.scores("it opens when", TEXTS) == [1.0, 2.0, 0.0]


@pytest.mark.parametrize("how", [{"status": 424}, {"status": 503}, {"status": 400}, {"keep": 2}])
def test_an_endpoint_that_refuses_or_leaves_texts_out_is_unavailable(how: dict[str, int]) -> None:
    with running(**how) as reranker, pytest.raises(MemoryUnavailableError, match="rerank endpoint"):
        reranker.scores("it opens when", TEXTS)
