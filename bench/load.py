"""What the stack adds to a run while a hundred others are in flight: its whole time less the model's own.

The model is a scripted one that writes forty pieces within 20 s; each run has a reader on a stream of its own. A first
wave starts the environments that a hundred calls at once need; the second, measured one finds them warm.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import httpx

from bench.figures import Figure, Goal, NotMeasurableError
from bench.own_stack import fresh_stack
from bench.recording import local_client
from client.tenants import TenantsTable
from client.tenants_file import read_tenants
from local.records import StackInfo
from tests.fakes.providers import ProviderServer
from tests.fakes.providers.anthropic_messages import events
from tests.fakes.providers.scripts import Script

IN_FLIGHT = 100
MODEL_SECONDS = 20.0
GOAL_P95_SECONDS = 0.5
PIECES = 40
WAVE_SECONDS = 330.0  # by then every run has ended, or was ended by the sweep
MODEL = "claude-haiku-5-5"
TENANTS = tuple(f"load{number}" for number in range(10))
_TIER = f"""
[tiers.load]
requests_per_minute = 60000
burst = 1000
models = ["{MODEL}"]
max_output_tokens = 400
[tiers.load.budgets.tenant]
day_usd = 500
[tiers.load.budgets.user]
day_usd = 500
"""


@dataclass
class Flight:
    """One run as its reader saw it; times are of the monotonic clock."""

    asked: float
    heard: list[float] = field(default_factory=list[float])
    status: str = ""
    text: str = ""
    refusals: int = 0

    @property
    def seconds(self) -> float:
        """From the question to the end of the stream."""
        return self.heard[-1] - self.asked

    @property
    def silence(self) -> float:
        """The longest time in which its reader heard nothing."""
        return max(later - earlier for earlier, later in zip((self.asked, *self.heard), self.heard, strict=False))


def measure(*, large: bool) -> list[Figure]:
    """Return one figure: seconds that the stack adds, run by run."""
    del large
    text = tuple(f"word {number} " for number in range(PIECES))
    told = len(events(Script(text=text), MODEL))
    script = Script(text=text, pause_seconds=MODEL_SECONDS / told)
    with ProviderServer(scripts={"long": script}) as provider, _stack(provider.url) as (info, keys):
        cold = anyio.run(_wave, info, keys)
        warm = anyio.run(_wave, info, keys)
    whole = "".join(text)
    lost = [each for each in (*cold, *warm) if (each.status, each.text.strip()) != ("done", whole.strip())]
    ended = [each for each in warm if each.status]
    if len(ended) < IN_FLIGHT // 2:
        raise NotMeasurableError(f"{len(ended)} of {IN_FLIGHT} runs ended within {WAVE_SECONDS:.0f} s: {_busy()}")
    return [_figure([each for each in cold if each.status], ended, lost=len(lost))]


def _busy() -> str:
    return f"the load of this machine is {os.getloadavg()[0]:.0f}; measure where nothing else runs"


def _figure(cold: Sequence[Flight], warm: Sequence[Flight], *, lost: int) -> Figure:
    added = sorted(each.seconds - MODEL_SECONDS for each in warm)
    p95 = _p95(added)
    return Figure(
        name=f"{IN_FLIGHT} runs in flight",
        unit="s added",
        samples=tuple(added),
        reference="the model's own time",
        reference_samples=(MODEL_SECONDS,) * len(added),
        details={
            "p95_s": round(p95, 3),
            "most_s": round(added[-1], 3),
            "first_wave_most_s": round(max((each.seconds - MODEL_SECONDS for each in cold), default=0.0), 3),
            "longest_silence_s": round(max(each.silence for each in warm), 3),
            "first_text_p95_s": round(_p95([each.heard[0] - each.asked for each in warm]), 3),
            "runs": len(cold) + len(warm),
            "asked_again": sum(each.refusals for each in warm),
            "first_wave_asked_again": sum(each.refusals for each in cold),
            "not_answered_whole": lost,
        },
        goals=(
            Goal(what="p95 s added", value=p95, limit=GOAL_P95_SECONDS),
            Goal(what="runs not answered whole", value=lost, limit=0),
        ),
    )


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


async def _wave(info: StackInfo, keys: dict[str, str]) -> list[Flight]:
    """Start a run every 0.2 s until a hundred are in flight, and follow each to its end, or to that of the wave."""
    flights: list[Flight] = []
    with anyio.move_on_after(WAVE_SECONDS):
        await _fly(info, keys, flights)
    return flights


async def _fly(info: StackInfo, keys: dict[str, str], flights: list[Flight]) -> None:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with (
        httpx.AsyncClient(base_url=info.api_url, timeout=120, limits=limits, trust_env=False) as client,
        anyio.create_task_group() as group,
    ):
        for number in range(IN_FLIGHT):
            flight = Flight(asked=time.monotonic())
            flights.append(flight)
            group.start_soon(_follow, client, keys[TENANTS[number % len(TENANTS)]], flight, number)
            await anyio.sleep(MODEL_SECONDS / IN_FLIGHT)


async def _follow(client: httpx.AsyncClient, key: str, flight: Flight, number: int) -> None:
    headers = {"authorization": f"Bearer {key}"}
    run = await _accepted(client, headers, flight, number)
    last = "0"
    while not flight.status:
        request = {**headers, "accept": "text/event-stream", "last-event-id": last}
        async with client.stream("GET", f"/v1/runs/{run}/events", headers=request) as stream:
            if stream.is_server_error:
                await anyio.sleep(1)
                continue
            async for line in stream.aiter_lines():
                if line.startswith("id: "):
                    last = line[4:]
                if line.startswith("data: "):
                    _take(flight, httpx.Response(200, text=line[6:]).json()["event"])


async def _accepted(client: httpx.AsyncClient, headers: dict[str, str], flight: Flight, number: int) -> str:
    """Ask, and ask again under the same key where the stack is too busy, as its own client does; return the run."""
    body = {"question": f"Number {number} at {flight.asked}? [[script:long:{flight.asked}]]", "model": MODEL}
    keyed = {**headers, "idempotency-key": f"{number}-{flight.asked}"}
    while True:
        answer = await client.post("/v1/runs", json=body, headers=keyed)
        if not answer.is_server_error:
            run: str = answer.raise_for_status().json()["id"]
            return run
        flight.refusals += 1
        await anyio.sleep(1)


def _take(flight: Flight, event: dict[str, str]) -> None:
    flight.heard.append(time.monotonic())
    if event["type"] == "text.delta":
        flight.text += event["text"]
    if event["type"] == "run.ended":
        flight.status = event["status"]


@contextmanager
def _stack(provider_url: str) -> Generator[tuple[StackInfo, dict[str, str]]]:
    """Yield a stack that asks the scripted provider, with keys for the tenants."""
    told = {"ANTHROPIC_BASE_URL": provider_url, "ANTHROPIC_API_KEY": "a-scripted-provider-takes-any"}
    with fresh_stack(variables=told) as (info, _), tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "tenants.toml")
        own = "".join(f'[tenants.{each}]\ntier = "load"\n[tenants.{each}.users.u]\nkeys = ["k"]\n' for each in TENANTS)
        file.write_text(_TIER + own)
        dynamodb = local_client("dynamodb", info.cloud_url)
        table = TenantsTable(dynamodb, table=info.outputs["TenantsTable"], environment="local")
        yield info, {made.tenant: made.text for made in table.apply(read_tenants(file))}
