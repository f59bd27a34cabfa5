"""Readers whose connections break anywhere, over a run that fails, is handed over or loses a function meanwhile.

Each ends with exactly the text of the run's answer and every event once, whatever execution wrote it.
"""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from uuid import uuid4

import httpx
import msgspec
import pytest

from client.answers import collect
from client.api import PlinthApi, Question
from plinth.contracts.events import LoggedEvent, Reset, RunResumed
from tests.fakes.providers.scripts import OK_TEXT
from tests.integration.chances import PAID, chances, text_of
from tests.integration.conftest import Deployed, close_breakers

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_a, pytest.mark.guarantee_f]

TENANT, SEED = "acme", 27
USUAL_BYTES = 1500
CRASH = {"function": "-CallModel", "call": "PutItem", "nth": 1, "when": "after"}
STORIES = {
    "nothing happens": ("ok@0.3", {}),
    "a model breaks off": ("cut@700+ok@0.3", {}),
    "its function dies": ("ok@0.3", {"crash": CRASH}),
    "its time is over": ("patient@0.8+ok@0.3", {}),
}
"""What the model is scripted to say, and the chances that are in force."""


class CutTransport(httpx.BaseTransport):
    """The network, but each stream breaks after so many bytes as chance says, and every other answer is lost."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._network = httpx.HTTPTransport()
        self.cuts = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._network.handle_request(request)
        if answer.headers["content-type"].startswith("text/event-stream"):
            upto = int(self._chance.expovariate(1 / USUAL_BYTES))
            return httpx.Response(answer.status_code, headers=answer.headers, stream=_Cut(answer, upto, self))
        if self._chance.random() < 0.5:
            answer.close()
            raise self.cut()
        return answer

    def cut(self) -> httpx.ReadError:
        self.cuts += 1
        return httpx.ReadError("cut")

    def close(self) -> None:
        self._network.close()


class _Cut(httpx.SyncByteStream):
    def __init__(self, answer: httpx.Response, upto: int, transport: CutTransport) -> None:
        self._answer, self._left, self._transport = answer, upto, transport

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._answer.iter_raw():
            yield piece[: self._left]
            self._left -= len(piece)
            if self._left < 0:
                raise self._transport.cut()

    def close(self) -> None:
        self._answer.close()


def streamed(deployed: Deployed, run_id: str, transport: httpx.BaseTransport) -> list[LoggedEvent]:
    """Read server-sent events with the client that everybody uses."""
    key = deployed.keys[TENANT]
    with PlinthApi(deployed.info.api_url, key=key, transport=transport, pause=lambda _seconds: None) as api:
        return list(api.events(run_id))


def polled(deployed: Deployed, run_id: str, transport: httpx.BaseTransport) -> list[LoggedEvent]:
    """Ask for what comes next, and the same again where no answer came."""
    seen, ended = list[LoggedEvent](), False
    headers = {"authorization": f"Bearer {deployed.keys[TENANT]}"}
    with httpx.Client(base_url=deployed.info.api_url, headers=headers, transport=transport, timeout=60) as client:
        while not ended:
            try:
                answer = client.get(f"/v1/runs/{run_id}/events?after={len(seen)}&wait=5")
            except httpx.ReadError:
                continue
            page = msgspec.json.decode(answer.content)
            seen.extend(msgspec.convert(page["events"], list[LoggedEvent]))
            ended = page["ended"]
    return seen


@pytest.mark.parametrize("story", STORIES)
def test_every_reader_has_the_whole_text_and_each_event_once(deployed: Deployed, story: str) -> None:
    plan, given = STORIES[story]
    close_breakers(deployed)
    cut = [CutTransport(SEED + number) for number in range(8)]
    in_force: AbstractContextManager[None] = chances(deployed, **given) if given else nullcontext()
    with in_force, deployed.api(TENANT) as api, ThreadPoolExecutor(10) as pool:
        asked = Question(
            question=f"When? [[script:{plan}:{uuid4().hex}]]", model=PAID, tools=["calculate"], deadline_seconds=600
        )
        run = api.create_run(asked)
        read: list[Callable[[], list[LoggedEvent]]] = [
            *(partial(streamed, deployed, run.id, each) for each in (httpx.HTTPTransport(), *cut[:5])),
            *(partial(polled, deployed, run.id, each) for each in (httpx.HTTPTransport(), *cut[5:])),
        ]
        readers = [future.result() for future in [pool.submit(each) for each in read]]
        ended = api.get_run(run.id)
        stored = list(api.events(run.id))

    assert ended.answer is not None, ended.failure
    for logged in readers:
        assert logged == stored
        assert [each.seq for each in logged] == list(range(1, len(logged) + 1))
        assert text_of(logged) == collect(logged).text == ended.answer.text == "".join(OK_TEXT)
    assert sum(each.cuts for each in cut) > len(cut) / 2
    resumed = [each.event.because for each in stored if isinstance(each.event, RunResumed)]
    assert resumed == {"its function dies": ["lost"], "its time is over": ["time"]}.get(story, [])
    assert any(isinstance(each.event, Reset) for each in stored) == (story != "nothing happens")
