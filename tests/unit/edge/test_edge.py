"""The edge: console, health and streams of its own; everything else passed on unchanged, within API Gateway's limit."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router
from starlette.testclient import TestClient

from local.edge.__main__ import main
from local.edge.application import build_application
from local.edge.forwarding import MAX_BODY_BYTES, Forwarder

API_URL = "http://127.0.0.1:1/_aws/execute-api/abc/live"
CONSOLE = Path(__file__).parents[3] / "console"
LOADED = re.compile(r'(?:href="|src="|from "\./)([\w.]+\.\w+)"')


class Gzipped(httpx.AsyncByteStream):
    """A body in pieces that must not be unpacked on the way."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"not really "
        yield b"gzip"


class Api:
    """Stands in for API Gateway: keeps what it gets, and answers what it is told to."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.error: httpx.TransportError | None = None
        self.headers: list[tuple[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.error is not None:
            raise self.error
        return httpx.Response(418, headers=self.headers, stream=Gzipped())


async def _relay(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"relayed {request.path_params['run_id']}")


@pytest.fixture
def api() -> Api:
    """Answer in the place of API Gateway."""
    return Api()


@pytest.fixture
def edge(api: Api) -> Iterator[TestClient]:
    """Call the edge."""
    forwarder = Forwarder(API_URL, transport=httpx.MockTransport(api))
    relay = Router(routes=[Route("/v1/runs/{run_id}/events", _relay)])
    with TestClient(build_application(console=CONSOLE, forwarder=forwarder, relay=relay)) as client:
        yield client


def test_the_console_is_served_at_the_root(edge: TestClient) -> None:
    answer = edge.get("/")

    assert answer.status_code == 200
    assert "<title>Plinth</title>" in answer.text


def test_the_console_loads_nothing_from_elsewhere() -> None:
    files = "".join(path.read_text() for path in sorted(CONSOLE.iterdir()))

    assert "http:" not in files
    assert "https:" not in files
    assert "innerHTML" not in files
    assert "default-src 'none'" in files
    assert "unsafe" not in files


def test_the_console_loads_what_the_edge_serves(edge: TestClient) -> None:
    loaded = {name for path in CONSOLE.iterdir() for name in LOADED.findall(path.read_text())}

    assert {"style.css", "main.js"} <= loaded
    assert {edge.get(f"/{name}").status_code for name in loaded} == {200}


def test_health_needs_nothing_behind_the_edge(edge: TestClient, api: Api) -> None:
    assert edge.get("/edge/health").json() == {"status": "ok"}
    assert api.requests == []


def test_only_reading_the_events_of_a_run_is_relayed(edge: TestClient, api: Api) -> None:
    assert edge.get("/v1/runs/run_x/events?after=1").text == "relayed run_x"
    assert edge.post("/v1/runs/run_x/events").status_code == 418
    assert edge.get("/v1/runs/run_x").status_code == 418
    assert [request.url.path.rpartition("/live")[2] for request in api.requests] == [
        "/v1/runs/run_x/events",
        "/v1/runs/run_x",
    ]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_request_reaches_the_api_as_it_was_sent(edge: TestClient, api: Api, method: str) -> None:
    sent = {"Authorization": "Bearer k", "X-Twice": "a, b", "Content-Type": "application/json"}

    edge.request(method, "/v1/documents/caf%C3%A9%2Fx?after=a%20b&after=c", content='{"a": "é"}', headers=sent)

    [request] = api.requests
    assert request.method == method
    assert request.url.raw_path == b"/_aws/execute-api/abc/live/v1/documents/caf%C3%A9%2Fx?after=a%20b&after=c"
    assert request.content == '{"a": "é"}'.encode()
    assert {name: request.headers[name] for name in sent} == sent
    assert request.headers["host"] == "127.0.0.1:1"


def test_what_belongs_to_one_connection_is_not_passed_on(edge: TestClient, api: Api) -> None:
    api.headers = [("Connection", "x-private"), ("X-Private", "1"), ("Keep-Alive", "5"), ("X-Public", "2")]

    answer = edge.get("/v1/x", headers={"Connection": "x-mine", "X-Mine": "1", "TE": "trailers", "X-Ours": "2"})

    [request] = api.requests
    assert (request.headers.get("x-mine"), request.headers.get("te"), request.headers.get("x-ours")) == (
        None,
        None,
        "2",
    )
    assert (answer.headers.get("x-private"), answer.headers.get("x-public")) == (None, "2")


def test_the_edge_adds_no_header_of_its_own_to_a_request(edge: TestClient, api: Api) -> None:
    edge.headers.clear()

    edge.get("/v1/x")

    assert not {"accept", "accept-encoding", "user-agent"} & set(api.requests[0].headers)


def test_an_answer_comes_back_byte_by_byte_with_its_repeated_headers(edge: TestClient, api: Api) -> None:
    api.headers = [("Content-Encoding", "gzip"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]

    with edge.stream("GET", "/v1/x") as answer:
        body = b"".join(answer.iter_raw())

    assert (answer.status_code, body) == (418, b"not really gzip")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


def test_a_body_over_the_limit_of_api_gateway_is_refused_and_not_passed_on(edge: TestClient, api: Api) -> None:
    answer = edge.post("/v1/runs", content=b"x" * (MAX_BODY_BYTES + 1))

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.headers["content-type"] == "application/problem+json"
    assert api.requests == []


def test_a_body_at_the_limit_is_passed_on(edge: TestClient, api: Api) -> None:
    edge.post("/v1/runs", content=b"x" * MAX_BODY_BYTES)

    assert len(api.requests[0].content) == MAX_BODY_BYTES


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ReadTimeout("late"), httpx.RemoteProtocolError("cut")]
)
def test_an_api_that_does_not_answer_is_a_502_that_says_what_to_do(
    edge: TestClient, api: Api, error: httpx.TransportError
) -> None:
    api.error = error

    answer = edge.get("/v1/x")

    assert (answer.status_code, answer.json()["code"]) == (502, "api_unreachable")
    assert "make run" in answer.json()["detail"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--api-url", API_URL, "--console", str(CONSOLE)],
        ["--port", "0", "--api-url", API_URL, "--console", "/nowhere"],
        ["--port", "0", "--api-url", API_URL, "--console", str(CONSOLE), "--environment", "NOVALUE"],
        ["--port", "0", "--api-url", API_URL, "--console", str(CONSOLE), "--surplus"],
    ],
)
def test_a_wrong_argument_stops_the_edge_before_it_listens(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)

    assert stopped.value.code == 2
    assert "usage: python -m local.edge" in capsys.readouterr().err
