"""How a run's log becomes its trace: which tries belong to which step, and what of the time was work."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from plinth.contracts.events import (
    ApprovalDecided,
    ApprovalNeeded,
    Event,
    LoggedEvent,
    Reset,
    StepEnded,
    StepTried,
    TextDelta,
)
from plinth.contracts.runs import RunRecord
from plinth.contracts.traces import Trace, TracedApproval, TracedExecution, TracedReset, TracedStep, TracedTry

STILL_TRIED = "retrying"
"""The outcome of a step whose latest try failed and whose end nobody has told yet."""


def trace_of(record: RunRecord, logged: Sequence[LoggedEvent], *, provider_of: Mapping[str, str]) -> Trace:
    """Return the trace of a run, also of one that is still going; `provider_of` knows every model's."""
    steps = [each.event for each in logged if isinstance(each.event, StepEnded | StepTried)]
    begin = min((step.started_at for step in steps), default=record.created_at)
    traced = traced_steps(logged)
    work_ms, whole_ms = _work_and_whole(traced)
    return Trace(
        id=record.id,
        status=record.status,
        model=record.request.model,
        began_at=begin,
        first_text_ms=next((_ms(each.at - begin) for each in logged if isinstance(each.event, TextDelta)), None),
        work_ms=round(work_ms, 3),
        wait_ms=round(whole_ms - work_ms, 3),
        executions=_executions(logged, begin),
        steps=traced,
        resets=[
            TracedReset(at_ms=_ms(each.at - begin), reason=each.event.reason)
            for each in logged
            if isinstance(each.event, Reset)
        ],
        providers={model: provider_of.get(model, "") for model in _models(traced)},
        receipt=record.receipt,
        failure=record.failure,
        approvals=_approvals(logged, begin),
    )


def traced_steps(logged: Iterable[LoggedEvent]) -> list[TracedStep]:
    """Return the steps of a log with the tries before them, in the order of their starts."""
    return steps_of((each.epoch, each.event) for each in logged if isinstance(each.event, StepEnded | StepTried))


def steps_of(told: Iterable[tuple[int, StepEnded | StepTried]]) -> list[TracedStep]:
    """Return the steps with the tries before them; each event comes with its epoch."""
    entries = list(told)
    begin = min((event.started_at for _, event in entries), default=0.0)
    left = [event for _, event in entries if isinstance(event, StepTried)]
    traced: list[TracedStep] = []
    for epoch, event in entries:
        if isinstance(event, StepEnded):
            own = [tried for tried in left if _same_visit(event, tried)]
            left = [tried for tried in left if tried not in own]
            traced.append(_traced(event, own, begin=begin, epoch=epoch))
    traced += [
        _still_tried([each for each in left if _visit(each) == visit], begin=begin, epoch=entries[-1][0])
        for visit in dict.fromkeys(map(_visit, left))
    ]
    return sorted(traced, key=lambda step: step.start_ms)


def _visit(step: StepEnded | StepTried) -> tuple[str, float, object]:
    """Return which visit of its state the step served; a step that a Catch wrote down began as its state did."""
    return step.step, _ms(step.entered_at or step.started_at), step.details.get("number")


def _same_visit(ended: StepEnded, tried: StepTried) -> bool:
    (name, entered, number), (tried_name, tried_entered, tried_number) = _visit(ended), _visit(tried)
    return (name, entered) == (tried_name, tried_entered) and number in (None, tried_number)


def _traced(step: StepEnded, tries: Sequence[StepTried], *, begin: float, epoch: int) -> TracedStep:
    spent = step.spent
    caught = step.entered_at is None and bool(tries)  # its time is its state's, and its last try is one of these
    worked = sum(tried.duration_ms for tried in tries) + (0.0 if caught else step.duration_ms)
    waited = (step.started_at - (step.entered_at or step.started_at)) * 1000 + step.duration_ms - worked
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
        epoch=epoch,
        retries=step.retry,
        wait_ms=round(max(0.0, waited), 3),
        tries=[_traced_try(tried, begin) for tried in tries],
        details=step.details,
    )


def _still_tried(tries: Sequence[StepTried], *, begin: float, epoch: int) -> TracedStep:
    """Return a step of which nothing but failed tries is known."""
    last = tries[-1]
    started_at = last.entered_at or tries[0].started_at
    whole = StepEnded(
        step=last.step,
        started_at=started_at,
        duration_ms=round((last.started_at - started_at) * 1000 + last.duration_ms, 3),
        outcome=STILL_TRIED,
        retry=last.retry,
        details=last.details,
    )
    return replace(_traced(whole, tries, begin=begin, epoch=epoch), retries=last.retry + 1)


def _traced_try(tried: StepTried, begin: float) -> TracedTry:
    return TracedTry(
        retry=tried.retry,
        start_ms=_ms(tried.started_at - begin),
        duration_ms=tried.duration_ms,
        outcome=tried.outcome,
        cold=tried.cold,
    )


def _work_and_whole(steps: Iterable[TracedStep]) -> tuple[float, float]:
    """Return how long any of the steps was at work, and the time to the end of the last one, in milliseconds."""
    visited = list(steps)
    known: list[TracedStep | TracedTry] = [step for step in visited if step.memory_mb or not step.tries]
    known += [tried for step in visited for tried in step.tries]
    spans = [(each.start_ms, each.start_ms + each.duration_ms) for each in known]
    work = over = 0.0
    for start, end in sorted(spans):
        work += max(0.0, end - max(start, over))
        over = max(over, end)
    return work, over


def _models(steps: Iterable[TracedStep]) -> list[str]:
    return sorted({str(step.details["model"]) for step in steps if "model" in step.details})


def _executions(logged: Iterable[LoggedEvent], begin: float) -> list[TracedExecution]:
    """Return the executions that say of themselves that they own the run."""
    return [
        TracedExecution(epoch=each.epoch, execution=execution, claimed_ms=_ms(each.event.started_at - begin))
        for each in logged
        if isinstance(each.event, StepEnded) and (execution := _owner(each.event))
    ]


def _approvals(logged: Sequence[LoggedEvent], begin: float) -> list[TracedApproval]:
    decided = {each.event.call: (each.at, each.event) for each in logged if isinstance(each.event, ApprovalDecided)}
    approvals: list[TracedApproval] = []
    for entry in logged:
        if isinstance(asked := entry.event, ApprovalNeeded):
            at, made = decided.get(asked.call, (None, None))
            approvals.append(
                TracedApproval(
                    call=asked.call,
                    tool=asked.tool,
                    arguments_sha256=asked.arguments_sha256,
                    asked_ms=_ms(entry.at - begin),
                    decided_ms=None if at is None else _ms(at - begin),
                    decision=made.decision if made else None,
                    user=made.user if made else "",
                    key_id=made.key_id if made else "",
                )
            )
    return approvals


def _owner(event: Event) -> str:
    claims = isinstance(event, StepEnded) and event.details.get("claimed") is True
    return str(event.details.get("owner", "")) if isinstance(event, StepEnded) and claims else ""


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
