"""In strict mode a stream ends when AWS would end it, and never before; what AWS would not take in is refused."""

import anyio
import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cdk.environments import PROD
from local.edge.application import build_application
from local.edge.forwarding import Forwarder
from local.edge.strict import HEAD_BYTES, ShortHeads, StreamLimits, limited
from plinth.relay.following import Pace
from tests.unit.edge.test_edge import API_URL, CONSOLE

LIMITS = StreamLimits(connection=0.5, silence=0.2)


def saying(*pauses: float) -> ASGIApp:
    """Return an app that says a word after each pause, and then ends its answer."""

    async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for pause in pauses:
            await anyio.sleep(pause)
            await send({"type": "http.response.body", "body": b"word", "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return application


def heard(application: ASGIApp) -> list[Message]:
    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def run() -> None:
        await limited(application, LIMITS)({"type": "http"}, receive, send)

    anyio.run(run)
    return said


def test_a_stream_that_speaks_and_ends_in_time_is_left_alone() -> None:
    said = heard(saying(0.05, 0.05))

    assert said[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


@pytest.mark.parametrize(("pauses", "words"), [((0.05, 5.0), 1), ((0.1,) * 50, 4)], ids=["silent", "long"])
def test_a_stream_that_is_silent_or_lasts_too_long_is_broken_off(pauses: tuple[float, ...], words: int) -> None:
    said = heard(saying(*pauses))

    assert said[-1].get("more_body", True)
    assert 0 < sum(message.get("body") == b"word" for message in said) <= words


def test_the_relay_ends_its_connections_and_sends_its_heartbeats_well_before() -> None:
    pace, limits = Pace(), StreamLimits()

    assert pace.connection + 5 < limits.connection
    assert 2 * pace.heartbeat < limits.silence


def test_the_edge_streams_through_these_limits_as_it_does_without_them() -> None:
    edge = build_application(console=CONSOLE, forwarder=Forwarder(API_URL), relay=limited(saying(0.0)))

    with TestClient(edge) as client:
        answer = client.get("/v1/runs/run_1/events")

    assert (answer.status_code, answer.text) == (200, "word")


def test_one_reader_more_than_there_are_functions_is_refused_until_another_leaves() -> None:
    relay = limited(saying(0.2), StreamLimits(readers=1))
    statuses: list[int] = []

    async def send(message: Message) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    async def receive() -> Message:
        return {"type": "http.request"}

    async def run() -> None:
        for _ in range(2):
            async with anyio.create_task_group() as together:
                for _ in range(2):
                    together.start_soon(relay, {"type": "http"}, receive, send)

    anyio.run(run)

    assert sorted(statuses) == [200, 200, 500, 500]


def test_the_relay_has_as_many_readers_as_an_environment_for_production_reserves_functions() -> None:
    assert StreamLimits().readers == PROD.reserved_concurrency["Relay"]


@pytest.mark.parametrize(("path", "status"), [("/v1/runs/run_1/events", 413), ("/v1/runs", 413), ("/index.html", 200)])
def test_the_head_of_a_request_to_the_api_is_as_long_as_api_gateway_takes_it(path: str, status: int) -> None:
    edge = build_application(console=CONSOLE, forwarder=Forwarder(API_URL), relay=limited(saying(0.0)))

    with TestClient(ShortHeads(edge)) as client:
        answer = client.get(path, headers={"authorization": "x" * HEAD_BYTES})
        short = client.get("/v1/runs/run_1/events", headers={"authorization": "x" * (HEAD_BYTES - 500)})

    assert (answer.status_code, short.status_code) == (status, 200)
