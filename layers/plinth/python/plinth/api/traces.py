"""The route of traces: what a run did and when, read off its own log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from plinth.access.readable_runs import readable_run
from plinth.api.exchange import CurrentExchange
from plinth.contracts.events import LoggedEvent, Reset, StepEnded, TextDelta
from plinth.contracts.runs import Failure, Receipt, RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedStep:
    """A step; `start_ms` counts from the start of the first. What it used is not told of one that died."""

    step: str
    start_ms: float
    duration_ms: float
    cold: bool
    outcome: str
    memory_mb: int
    read_units: float
    write_units: float
    searches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedReset:
    """Text that was dropped because its attempt failed."""

    at_ms: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A run so far: its steps in the order of their starts, each call of a model on the receipt once it has ended.

    Of the time from the first step to the end of the last, `work_ms` is what any step was at work, and `wait_ms` the
    rest: what lies between steps, and waits for a model that asked for patience. `first_text_ms` is None without text.
    """

    id: str
    status: RunStatus
    model: str
    first_text_ms: float | None
    work_ms: float
    wait_ms: float
    steps: list[TracedStep]
    resets: list[TracedReset]
    receipt: Receipt | None
    failure: Failure | None


def add_routes(resolver: APIGatewayRestResolver) -> None:
    """Add the route of traces."""
    resolver.get("/v1/runs/<run_id>/trace", summary="Read a run's trace", tags=["runs"], operation_id="get_trace")(
        get_trace
    )


def get_trace(run_id: str, exchange: CurrentExchange) -> Trace:
    """Return the steps of a run, also of one that is still going."""
    services, tenant = exchange.services, exchange.caller.tenant
    record = readable_run(services.runs, exchange.caller, run_id)
    logged = services.run_log.read(tenant, run_id, after=0)
    steps = sorted(
        (entry.event for entry in logged if isinstance(entry.event, StepEnded)), key=lambda step: step.started_at
    )
    begin = steps[0].started_at if steps else record.created_at
    work_ms, whole_ms = _work_and_whole(steps, begin)
    return Trace(
        id=run_id,
        status=record.status,
        model=record.request.model,
        first_text_ms=_first_text(logged, begin),
        work_ms=round(work_ms, 3),
        wait_ms=round(whole_ms - work_ms, 3),
        steps=[_traced(step, begin) for step in steps],
        resets=[
            TracedReset(at_ms=_ms(entry.at - begin), reason=entry.event.reason)
            for entry in logged
            if isinstance(entry.event, Reset)
        ],
        receipt=record.receipt,
        failure=record.failure,
    )


def _work_and_whole(steps: Iterable[StepEnded], begin: float) -> tuple[float, float]:
    """Return how long any of the steps was at work, and the time to the end of the last one, in milliseconds."""
    work = over = 0.0
    for step in steps:
        start = (step.started_at - begin) * 1000
        end = start + step.duration_ms
        work += max(0.0, end - max(start, over))
        over = max(over, end)
    return work, over


def _first_text(logged: Sequence[LoggedEvent], begin: float) -> float | None:
    return next((_ms(entry.at - begin) for entry in logged if isinstance(entry.event, TextDelta)), None)


def _traced(step: StepEnded, begin: float) -> TracedStep:
    spent = step.spent
    return TracedStep(
        step=step.step,
        start_ms=_ms(step.started_at - begin),
        duration_ms=step.duration_ms,
        cold=step.cold,
        outcome=step.outcome,
        memory_mb=spent.memory_mb if spent else 0,
        read_units=spent.read_units if spent else 0.0,
        write_units=spent.write_units if spent else 0.0,
        searches=spent.searches if spent else 0,
    )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
