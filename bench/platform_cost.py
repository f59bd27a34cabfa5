"""What one run costs on AWS beside the model, counted from recorded runs on the local stack and priced by the million.

Counted: Lambda calls, time and memory, DynamoDB units, log bytes and API requests. Lambda's milliseconds are those of
this machine, where CallModel's and the relay's are replaced: the model is taken to answer in `_MODEL_SECONDS`.
Left out: search (by the hour), tools, transfer, and S3, which no step of an answer touches.
"""

import re
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from bench.figures import Figure, Goal
from bench.first_text import running_stack
from bench.recording import Units, local_client, recorded
from client.api import PlinthApi, Question
from plinth.contracts.platform import PlatformKind
from plinth.money.platform import WORKFLOW_GB, platform_prices
from plinth.relay.following import Pace

_MODEL_SECONDS = 3.0
_WARM_RUNS, _RUNS = 1, 3
_MODEL = "plinth-local"
_MOST_TOKENS = 256
_SETTLE_SECONDS = 2.0
_NOT_OF_A_RUN = frozenset({"SweepBudgets"})
_RELAY_MB = 256
_MILLION = 1_000_000
_REPORT = re.compile(r"^REPORT RequestId: \S+\tDuration: ([\d.]+) ms")
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})
_LOG_EVENT_BYTES = 26
"""What CloudWatch adds to each event that it is sent (its quotas, from memory)."""

_GOALS_USD = {"streamed": 45, "unstreamed": 25, "exact hit": 4}


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What `runs` runs of one kind used."""

    runs: int
    units: Units
    calls: Counter[str] = field(default_factory=Counter[str])
    milliseconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    log_bytes: Counter[str] = field(default_factory=Counter[str])
    memory_mb: dict[str, int] = field(default_factory=dict[str, int])


class Lane:
    """Asks a running stack and reads what that used."""

    def __init__(self, api: PlinthApi, cloud_url: str, units: Units) -> None:
        self._api, self._cloud_url, self._units = api, cloud_url, units

    def record(self, questions: list[str], *, fetch: bool) -> Recording:
        """Return what these questions used, each asked and answered before the next; `fetch` gets each run again."""
        time.sleep(_SETTLE_SECONDS)
        self._units.clear()
        began = int(time.time() * 1000)
        for question in questions:
            run = self._api.create_run(Question(question=question, model=_MODEL, max_output_tokens=_MOST_TOKENS))
            for _ in self._api.events(run.id):
                pass
            if fetch:
                self._api.get_run(run.id)
        time.sleep(_SETTLE_SECONDS)
        units = {key: units for key, units in self._units.items() if key[0] not in _NOT_OF_A_RUN}
        return recording_of(self._cloud_url, units, runs=len(questions), began=began, stacks=("answer", "api"))


def recording_of(
    cloud_url: str, units: Mapping[tuple[str, str, str], float], *, runs: int, began: int, stacks: tuple[str, ...]
) -> Recording:
    """Return what these units and the log lines since `began` (Unix milliseconds) of the stacks' functions tell."""
    pages = local_client("lambda", cloud_url).get_paginator("list_functions").paginate()
    recording = Recording(
        runs=runs,
        units=defaultdict(float, units),
        memory_mb={
            short_name(each["FunctionName"]): each["MemorySize"] for page in pages for each in page["Functions"]
        },
    )
    for name, message in _messages(cloud_url, began, stacks):
        recording.log_bytes[name] += len(message.encode()) + _LOG_EVENT_BYTES
        if report := _REPORT.match(message):
            recording.calls[name] += 1
            recording.milliseconds[name] += float(report[1])
    return recording


def _messages(cloud_url: str, began: int, stacks: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    logs = local_client("logs", cloud_url)
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in (each["logGroupName"] for each in page["logGroups"]):
            if any(f"-{stack}/" in group for stack in stacks):
                pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=began)
                name = group.rpartition("/")[2].rpartition("Log")[0]
                yield from ((name, event["message"]) for each in pages for event in each["events"])


def usd(kind: PlatformKind) -> float:
    """Return the dollars of one unit."""
    return platform_prices()[kind].nano_usd / 1e9


def short_name(function: str) -> str:
    """Return `CallModel` of plinth-local-answer-CallModelFunction..."""
    return function.partition("Function")[0].rpartition("-")[2]


def measure(*, large: bool) -> list[Figure]:
    """Return a figure per kind of run; raise NotMeasurableError where no local stack runs."""
    del large
    info, key = running_stack()
    with ExitStack() as opened:
        recorder = opened.enter_context(recorded(info.cloud_url, named=short_name))
        lane = Lane(opened.enter_context(PlinthApi(info.api_url, key=key.key)), info.cloud_url, recorder.units)
        lane.record(_questions(_WARM_RUNS), fetch=True)
        questions = _questions(_RUNS)
        fresh, fetched = lane.record(questions, fetch=False), lane.record(_questions(_RUNS), fetch=True)
        hit = lane.record(questions, fetch=False)
    figures = [
        _figure("streamed", _with_relay(bill(fresh), run_seconds(fresh)), fresh),
        _figure("unstreamed", bill(fetched), fetched),
    ]
    if hit.calls["CallModel"]:
        print("  no exact hit: the model's answer was not whole, so it was not kept")
        return figures
    return [*figures, _figure("exact hit", bill(hit), hit)]


def _questions(count: int) -> list[str]:
    return [f"How do I remove a package with its configuration files? ({uuid.uuid4().hex[:8]})" for _ in range(count)]


def run_seconds(recording: Recording) -> float:
    """Return how long the machine of one run lasts: its steps one after another, the model for its stated time."""
    steps = sum(_milliseconds(recording, name) for name in recording.calls if name != "Api")
    return steps / recording.runs / 1000


def _milliseconds(recording: Recording, name: str) -> float:
    return recording.calls[name] * _MODEL_SECONDS * 1000 if name == "CallModel" else recording.milliseconds[name]


def bill(recording: Recording) -> dict[str, float]:
    """Return dollars per million runs, by line."""
    lines = functions_bill(recording)
    machines = recording.calls["ClaimRun"]
    lines["Express requests"] = machines * usd(PlatformKind.WORKFLOW_RUNS)
    lines["Express time"] = machines * run_seconds(recording) * WORKFLOW_GB * usd(PlatformKind.WORKFLOW_GB_SECONDS)
    lines["API requests"] = recording.calls["Api"] * usd(PlatformKind.API_REQUESTS)
    return {name: dollars / recording.runs * _MILLION for name, dollars in lines.items() if dollars}


def functions_bill(recording: Recording) -> defaultdict[str, float]:
    """Return the dollars of all that was recorded for the functions and what they asked of tables, by line."""
    lines: defaultdict[str, float] = defaultdict(float)
    for name, calls in recording.calls.items():
        gb_seconds = _milliseconds(recording, name) / 1000 * recording.memory_mb[name] / 1024
        lines[f"Lambda time {name}"] += gb_seconds * usd(PlatformKind.LAMBDA_GB_SECONDS)
        lines["Lambda requests"] += calls * usd(PlatformKind.LAMBDA_REQUESTS)
    for (_, operation, table), units in recording.units.items():
        if operation in WRITES:
            lines[f"{_table_name(table)} writes"] += units * usd(PlatformKind.WRITE_UNITS)
        else:
            lines[f"{_table_name(table)} reads"] += units * usd(PlatformKind.READ_UNITS)
    lines["log bytes"] = recording.log_bytes.total() * usd(PlatformKind.LOG_BYTES)
    return lines


def _with_relay(lines: dict[str, float], seconds: float) -> dict[str, float]:
    """Add one reader of the events, who looks as often as the pace allows: a bound, for what is not recorded."""
    gb_seconds, pace = seconds * _RELAY_MB / 1024, Pace()
    looks = _MODEL_SECONDS / pace.text_pause + (seconds - _MODEL_SECONDS) / pace.first_pause
    return {
        **lines,
        "Lambda requests": lines["Lambda requests"] + usd(PlatformKind.LAMBDA_REQUESTS) * _MILLION,
        "API requests": lines["API requests"] + usd(PlatformKind.API_REQUESTS) * _MILLION,
        "relay time": gb_seconds * usd(PlatformKind.LAMBDA_GB_SECONDS) * _MILLION,
        "relay polling, at most": looks * usd(PlatformKind.READ_UNITS) * _MILLION,
    }


def _table_name(table: str) -> str:
    """Return `Runs` of plinth-local-data-RunsE45A2291-D826085DCEF76."""
    return re.sub(r"[0-9A-F]{8}-[0-9A-F]+$", "", table).rpartition("-")[2]


def _figure(kind: str, lines: dict[str, float], recording: Recording) -> Figure:
    total, goal = sum(lines.values()), float(_GOALS_USD[kind])
    writes = sum(units for (_, operation, _), units in recording.units.items() if operation in WRITES)
    reads = sum(recording.units.values()) - writes
    by_operation = {
        f"units {name} {operation} {_table_name(table)}": round(units / recording.runs, 2)
        for (name, operation, table), units in sorted(recording.units.items())
    }
    return Figure(
        name=kind,
        unit="$ per 1M",
        samples=(total,),
        reference="the goal",
        reference_samples=(goal,),
        details={
            **{f"$ {name}": round(usd, 2) for name, usd in sorted(lines.items(), key=lambda line: -line[1])},
            "write units": round(writes / recording.runs, 2),
            "read units": round(reads / recording.runs, 2),
            "log bytes": round(recording.log_bytes.total() / recording.runs),
            "model seconds, taken": _MODEL_SECONDS,
            "runs": recording.runs,
            **by_operation,
        },
        goals=(Goal(what="$ per 1M", value=total, limit=goal),),
    )
