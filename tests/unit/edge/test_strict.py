"""In strict mode a stream ends when AWS would end it, and never before."""

import anyio
import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.edge.application import build_application
from local.edge.forwarding import Forwarder
from local.edge.strict import StreamLimits, limited
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
