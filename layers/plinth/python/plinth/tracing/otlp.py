"""How a trace becomes OpenTelemetry's: spans of the run, its steps, their tries, model calls and tools, as OTLP's JSON.

A pure mapping without an SDK: no function pays for it at its cold start. The same run gives the same ids each time, so
that a second export replaces the first.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from plinth.contracts.events import Details
from plinth.contracts.traces import Trace, TracedStep, TracedTry
from plinth.tracing import genai_names as names

Json = dict[str, object]
Scalar = str | int | float | bool
_INTERNAL, _CLIENT = 1, 3  # SpanKind
_OK, _ERROR = 1, 2  # StatusCode
_OF_A_CALL = frozenset({"model", "input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens", "tool"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a span stands: its id, that of the span around it, its kind, and its time in milliseconds of the trace."""

    id: str
    start_ms: float
    end_ms: float
    parent: str = ""
    kind: int = _INTERNAL


def otlp_json(trace: Trace, *, environment: str) -> Json:
    """Return the trace as the JSON of OTLP's TracesData; ids are hexadecimal there, as OTLP wants."""
    resource = _attributes({names.SERVICE: "plinth", "deployment.environment.name": environment})
    scope: Json = {"scope": {"name": "plinth"}, "spans": list(_spans(trace))}
    return {"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [scope]}]}


def _spans(trace: Trace) -> Iterator[Json]:
    drawing = _Drawing(trace)
    ends = [step.start_ms + step.duration_ms for step in trace.steps]
    root = drawing.id("run")
    yield drawing.span(
        _Place(id=root, start_ms=0.0, end_ms=max(ends, default=0.0)),
        f"{names.INVOKE_WORKFLOW} answer",
        attributes={
            names.OPERATION: names.INVOKE_WORKFLOW,
            names.WORKFLOW: "answer",
            names.OWN + "run.id": trace.id,
            names.OWN + "run.status": trace.status,
            names.OWN + "work_ms": trace.work_ms,
            names.OWN + "wait_ms": trace.wait_ms,
            **({names.OWN + "cost_micro_usd": trace.receipt.model_cost_micro_usd} if trace.receipt else {}),
            **({names.ERROR: trace.failure.reason} if trace.failure else {}),
        },
        events=[
            *([_event(drawing, "first text", trace.first_text_ms)] if trace.first_text_ms is not None else []),
            *(_event(drawing, "reset", reset.at_ms, reason=reset.reason) for reset in trace.resets),
        ],
    )
    for number, step in enumerate(trace.steps):
        yield from _of_step(drawing, step, place=f"step {number}", parent=root)


def _of_step(drawing: "_Drawing", step: TracedStep, *, place: str, parent: str) -> Iterator[Json]:
    """Yield the step's span from its first try on, its tries, and the call of a model that it made."""
    end = step.start_ms + step.duration_ms
    start = min([step.start_ms, *(each.start_ms for each in step.tries)])
    own = drawing.id(place)
    around = _Place(id=own, parent=parent, start_ms=start, end_ms=end)
    yield drawing.span(around, _name(step), attributes=_of_the_step(step))
    for tried in step.tries:
        yield _of_try(drawing, tried, place=f"{place} try {tried.retry}", parent=own)
    if "model" in step.details:
        call = _Place(id=drawing.id(f"{place} call"), parent=own, kind=_CLIENT, start_ms=step.start_ms, end_ms=end)
        attributes = _of_the_call(step, drawing.providers)
        yield drawing.span(call, f"{names.CHAT} {step.details['model']}", attributes=attributes)


def _of_try(drawing: "_Drawing", tried: TracedTry, *, place: str, parent: str) -> Json:
    attributes: dict[str, Scalar] = {names.ERROR: tried.outcome, names.OWN + "retry": tried.retry}
    end_ms = tried.start_ms + tried.duration_ms
    within = _Place(id=drawing.id(place), parent=parent, start_ms=tried.start_ms, end_ms=end_ms)
    return drawing.span(within, f"try {tried.retry + 1}", attributes=attributes)


def _name(step: TracedStep) -> str:
    return f"{names.EXECUTE_TOOL} {step.details['tool']}" if step.details.get("tool") else step.step


def _of_the_step(step: TracedStep) -> dict[str, Scalar]:
    operation = {"RetrieveContext": names.RETRIEVAL, "RunTool": names.EXECUTE_TOOL}.get(step.step)
    details: Details = {names.OWN + name: value for name, value in step.details.items() if name not in _OF_A_CALL}
    return {
        names.OWN + "step": step.step,
        names.OWN + "retries": step.retries,
        names.OWN + "cold": step.cold,
        names.OWN + "wait_ms": step.wait_ms,
        **details,
        **({names.OPERATION: operation} if operation else {}),
        **({names.TOOL: step.details["tool"]} if "tool" in step.details else {}),
        **({names.ERROR: step.outcome} if step.outcome != "ok" else {}),
    }


def _of_the_call(step: TracedStep, providers: Mapping[str, str]) -> dict[str, Scalar]:
    told = step.details
    model, provider = str(told["model"]), providers.get(str(told["model"]), "")
    cached, written = int(told.get("cached_input_tokens", 0)), int(told.get("cache_write_tokens", 0))
    return {
        names.OPERATION: names.CHAT,
        names.PROVIDER: names.PROVIDERS.get(provider, provider),
        names.MODEL: model,
        names.INPUT_TOKENS: int(told.get("input_tokens", 0)) + cached + written,  # the convention counts cached ones in
        names.CACHE_READ_TOKENS: cached,
        names.CACHE_WRITE_TOKENS: written,
        names.OUTPUT_TOKENS: int(told.get("output_tokens", 0)),
        names.OWN + "cost_micro_usd": int(told.get("cost_micro_usd", 0)),
        **({names.ERROR: str(told.get("reason") or step.outcome)} if step.outcome != "ok" else {}),
    }


class _Drawing:
    """What all spans of one trace share."""

    def __init__(self, trace: Trace) -> None:
        self._run_id = trace.id
        self._began_at = trace.began_at
        self.providers = trace.providers

    def id(self, place: str) -> str:
        return hashlib.sha256(f"{self._run_id} {place}".encode()).hexdigest()[:16]

    def nanos(self, at_ms: float) -> str:
        return str(round(self._began_at * 1_000_000) * 1000 + round(at_ms * 1_000_000))

    def span(self, place: _Place, name: str, *, attributes: Mapping[str, Scalar], events: Sequence[Json] = ()) -> Json:
        failed = names.ERROR in attributes
        return {
            "traceId": hashlib.sha256(self._run_id.encode()).hexdigest()[:32],
            "spanId": place.id,
            **({"parentSpanId": place.parent} if place.parent else {}),
            "name": name,
            "kind": place.kind,
            "startTimeUnixNano": self.nanos(place.start_ms),
            "endTimeUnixNano": self.nanos(place.end_ms),
            "attributes": _attributes(attributes),
            **({"events": list(events)} if events else {}),
            "status": {"code": _ERROR, "message": str(attributes[names.ERROR])} if failed else {"code": _OK},
        }


def _event(drawing: _Drawing, name: str, at_ms: float, **attributes: Scalar) -> Json:
    own = {names.OWN + key: value for key, value in attributes.items()}
    return {"timeUnixNano": drawing.nanos(at_ms), "name": name, "attributes": _attributes(own)}


def _attributes(attributes: Mapping[str, Scalar]) -> list[Json]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items() if value != ""]


def _value(value: Scalar) -> Json:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case _:
            return {"stringValue": str(value)}
