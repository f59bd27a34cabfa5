"""Many readers of runs at once, on the deployed stack: none is left silent, none gets an event twice or not at all."""

import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import uuid4

import anyio
import httpx
import pytest

from client.api import Question
from tests.integration.conftest import Deployed

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_f]

PAID = "claude-haiku-5-5"
TENANTS = ("acme", "rival", "frugal", "counted")


@dataclass
class Reader:
    """What one reader has seen: the number of each event, and how many seconds after its writing it came."""

    seen: list[int] = field(default_factory=list[int])
    lags: list[float] = field(default_factory=list[float])
    ended: bool = False

    def take(self, logged: dict[str, object], *, began: float) -> None:
        seq, at, event = logged["seq"], logged["at"], logged["event"]
        assert isinstance(seq, int)
        assert isinstance(at, float)
        assert isinstance(event, dict)
        self.seen.append(seq)
        if at > began:  # what was there before the reader came has no lag
            self.lags.append(time.time() - at)
        self.ended = event["type"] == "run.ended"


Follow = Callable[[httpx.AsyncClient, str, Reader], Awaitable[None]]


async def stream(client: httpx.AsyncClient, run_id: str, reader: Reader) -> None:
    """Read server-sent events, and come back behind the last one when the connection ends."""
    while not reader.ended:
        began = time.time()
        headers = {"accept": "text/event-stream", "last-event-id": str(reader.seen[-1] if reader.seen else 0)}
        async with client.stream("GET", f"/v1/runs/{run_id}/events", headers=headers) as answer:
            if answer.status_code == 429:
                await anyio.sleep(1)
                continue
            assert answer.status_code == 200
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    reader.take(httpx.Response(200, text=line[6:]).json(), began=began)


async def poll(client: httpx.AsyncClient, run_id: str, reader: Reader) -> None:
    """Ask for what comes next, again and again."""
    while not reader.ended:
        began = time.time()
        after = reader.seen[-1] if reader.seen else 0
        answer = await client.get(f"/v1/runs/{run_id}/events?after={after}&wait=5")
        if answer.status_code == 429:
            await anyio.sleep(1)
            continue
        assert answer.status_code == 200
        for logged in answer.json()["events"]:
            reader.take(logged, began=began)


@pytest.mark.parametrize(
    ("streams", "polls"), [(4, 8), pytest.param(20, 100, marks=pytest.mark.long)], ids=["few", "many"]
)
def test_no_reader_is_silent_and_each_has_every_event_once(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], streams: int, polls: int
) -> None:
    runs: dict[str, str] = {}
    for tenant in TENANTS:
        with deployed.api(tenant) as api:
            asked = Question(question=f"When? [[script:ok@0.8:{uuid4().hex}]]", model=PAID)
            runs[tenant] = api.create_run(asked).id
    readers: list[tuple[str, Reader]] = []

    async def read() -> None:
        async with anyio.create_task_group() as group:
            for number in range(streams + polls):
                tenant, reader = TENANTS[number % len(TENANTS)], Reader()
                readers.append((tenant, reader))
                follow = stream if number < streams else poll
                group.start_soon(follow_one, tenant, follow, reader)

    async def follow_one(tenant: str, follow: Follow, reader: Reader) -> None:
        headers = {"authorization": f"Bearer {deployed.keys[tenant]}"}
        async with httpx.AsyncClient(base_url=deployed.info.api_url, headers=headers, timeout=60) as client:
            await follow(client, runs[tenant], reader)

    anyio.run(read)

    for tenant in TENANTS:
        seen = [reader.seen for owner, reader in readers if owner == tenant]
        assert all(numbers == seen[0] == list(range(1, len(numbers) + 1)) for numbers in seen)
    lags = sorted(lag for _, reader in readers for lag in reader.lags)
    assert lags
    told = f"p50 {statistics.median(lags):.2f} s, p95 {lags[int(len(lags) * 0.95)]:.2f} s, most {lags[-1]:.2f} s"
    with capsys.disabled():
        sys.stdout.write(
            f"\n{streams} streams, {polls} long polls: {len(lags)} events, behind their writing by {told}\n"
        )
