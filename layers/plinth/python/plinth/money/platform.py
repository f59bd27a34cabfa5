"""What a run costs beside its models: measured time, memory and units at the list prices of platform_prices.json."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec

from plinth.contracts.events import StepEnded
from plinth.contracts.platform import PlatformCost, PlatformKind, PlatformLine
from plinth.money.prices import Confidence

API_STEP = "Api"
"""The one step that is no state of the machine; it is counted until the run was written down."""
# Write units of transactions, which can't tell their own in what they write. Recorded by `bench platform_cost`:
ACCEPTING_UNITS = 7.0  # a run under an Idempotency-Key
ANSWERING_UNITS = 10.0  # the same with its answer
ENDING_UNITS = 9.0
# Counted, not recorded, with items of a KB:
HANDING_OVER_UNITS = 6.0  # two items, and the index
ASKING_UNITS = 9.0  # a person: three items, and the index
DECIDING_UNITS = 5.0  # two items, and the index
_CLAIMING = "ClaimRun"
_WORKFLOW = "workflow"
WORKFLOW_GB = 64 / 1024
"""An Express run is billed in steps of 64 MB; one that only passes references takes one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformPrice:
    """Nano-dollars for one unit of a kind, with where and when that was read."""

    kind: PlatformKind
    nano_usd: float
    source: str
    as_of: str
    confidence: Confidence


@cache
def platform_prices() -> dict[PlatformKind, PlatformPrice]:
    """Return the price of every kind."""
    text = (files("plinth.money") / "platform_prices.json").read_bytes()
    return {price.kind: price for price in msgspec.json.decode(text, type=list[PlatformPrice])}


def platform_cost(steps: Iterable[StepEnded]) -> PlatformCost:
    """Return what these steps of one run cost; an execution works from its first one's start to its last one's end.

    A step that died before it could say what it used counts nothing but its part of the machine's time.
    """
    used: defaultdict[tuple[str, PlatformKind], float] = defaultdict(float)
    in_machine: list[StepEnded] = []
    for step in steps:
        if step.step == API_STEP:
            used[API_STEP, PlatformKind.API_REQUESTS] += 1
        else:
            in_machine.append(step)
        if step.spent is None:
            continue
        used[step.step, PlatformKind.LAMBDA_REQUESTS] += 1
        used[step.step, PlatformKind.LAMBDA_GB_SECONDS] += step.duration_ms / 1000 * step.spent.memory_mb / 1024
        used[step.step, PlatformKind.READ_UNITS] += step.spent.read_units
        used[step.step, PlatformKind.WRITE_UNITS] += step.spent.write_units
        used[step.step, PlatformKind.SEARCHES] += step.spent.searches
    for execution in _executions(in_machine):
        ended = max(step.started_at + step.duration_ms / 1000 for step in execution)
        used[_WORKFLOW, PlatformKind.WORKFLOW_RUNS] += 1
        used[_WORKFLOW, PlatformKind.WORKFLOW_GB_SECONDS] += (ended - execution[0].started_at) * WORKFLOW_GB
    return _cost(used)


def _executions(steps: Iterable[StepEnded]) -> Iterator[list[StepEnded]]:
    """Yield the steps of each execution, in order: a claim begins the next one."""
    execution: list[StepEnded] = []
    for step in sorted(steps, key=lambda each: each.started_at):
        if step.step == _CLAIMING and execution:
            yield execution
            execution = []
        execution.append(step)
    if execution:
        yield execution


def _cost(used: dict[tuple[str, PlatformKind], float]) -> PlatformCost:
    """Round each part up to a nano-dollar, so that both sums are the same."""
    prices = platform_prices()
    kinds: defaultdict[PlatformKind, int] = defaultdict(int)
    steps: defaultdict[str, int] = defaultdict(int)
    quantities: defaultdict[PlatformKind, float] = defaultdict(float)
    for (step, kind), quantity in used.items():
        if quantity:
            cost = -int(-quantity * prices[kind].nano_usd // 1)
            kinds[kind] += cost
            steps[step] += cost
            quantities[kind] += quantity
    lines = (
        PlatformLine(kind=kind, quantity=round(quantities[kind], 6), cost_nano_usd=kinds[kind])
        for kind in PlatformKind
        if kind in quantities
    )
    return PlatformCost(cost_nano_usd=sum(kinds.values()), lines=tuple(lines), steps=dict(steps))
