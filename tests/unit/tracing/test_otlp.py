"""A trace as OpenTelemetry's: valid by its own protobuf, and under the convention's names."""

import base64
import re
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from plinth.contracts.events import LoggedEvent, Reset, StepEnded, StepTried, TextDelta
from plinth.contracts.runs import Failure, RunRecord, RunRequest, RunStatus
from plinth.contracts.traces import Trace
from plinth.tracing import genai_names as names
from plinth.tracing.otlp import otlp_json
from plinth.tracing.waterfall import trace_of

START = 1_800_000_000.0
CALL = {
    "model": "claude-haiku-5-5",
    "input_tokens": 20,
    "cached_input_tokens": 100,
    "cache_write_tokens": 5,
    "output_tokens": 7,
    "cost_micro_usd": 42,
}


def step(name: str, start: float, **rest: Any) -> StepEnded:
    return StepEnded(step=name, started_at=START + start, duration_ms=500.0, **rest)


@pytest.fixture
def trace() -> Trace:
    events = [
        StepTried(
            step="RetrieveContext",
            started_at=START,
            entered_at=START,
            duration_ms=10.0,
            outcome="MemoryUnavailableError",
        ),
        step("RetrieveContext", 1.0, entered_at=START, retry=1, details={"passages": 8}),
        step("CallModel", 2.0, outcome="ModelSilentError", details={**CALL, "reason": "model_silent"}),
        TextDelta(text="a", attempt=1, offset=0),
        Reset(attempt=2, reason="model_silent"),
        step("RunTool", 3.0, details={"tool": "calculate", "done": True}),
        step("CallModel", 4.0, details=CALL),
    ]
    logged = [LoggedEvent(seq=seq, epoch=1, at=START + 2.5, event=each) for seq, each in enumerate(events, start=1)]
    record = RunRecord(
        id="run_1",
        status=RunStatus.FAILED,
        epoch=1,
        created_at=START,
        deadline=START + 270,
        expires_at=int(START) + 86_400,
        request=RunRequest(question="a secret question", model="m", user="ann"),
        failure=Failure(reason="model_silent", message="ask again"),
    )
    return trace_of(record, logged, provider_of={"claude-haiku-5-5": "anthropic"})


def parsed(trace: Trace) -> list[Span]:
    """Return the spans as OTLP's protobuf reads them; its JSON has ids in hex, where protobuf's own has base64."""
    content: Any = otlp_json(trace, environment="test")
    for span in content["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for field in ("traceId", "spanId", "parentSpanId"):
            assert re.fullmatch(r"([0-9a-f]{16}){1,2}", span.get(field, "0" * 16))
            span[field] = base64.b64encode(bytes.fromhex(span.get(field, ""))).decode()
    return list(ParseDict(content, TracesData()).resource_spans[0].scope_spans[0].spans)


def attributes(span: Span) -> dict[str, Any]:
    return {each.key: getattr(each.value, str(each.value.WhichOneof("value"))) for each in span.attributes}


def test_a_trace_is_valid_otlp_with_a_span_for_the_run_each_step_each_try_and_each_call(trace: Trace) -> None:
    spans = parsed(trace)

    assert [span.name for span in spans] == [
        "invoke_workflow answer",
        "RetrieveContext",
        "try 1",
        "CallModel",
        "chat claude-haiku-5-5",
        "execute_tool calculate",
        "CallModel",
        "chat claude-haiku-5-5",
    ]
    assert len({span.span_id for span in spans}) == len(spans)
    assert {(len(span.trace_id), len(span.span_id)) for span in spans} == {(16, 8)}


def test_every_span_but_the_runs_lies_within_its_parent(trace: Trace) -> None:
    root, *others = parsed(trace)
    by_id = {span.span_id: span for span in (root, *others)}

    assert root.parent_span_id == b""
    for span in others:
        parent = by_id[span.parent_span_id]
        assert parent.start_time_unix_nano <= span.start_time_unix_nano
        assert span.end_time_unix_nano <= parent.end_time_unix_nano
    assert root.start_time_unix_nano == int(START) * 10**9


def test_a_model_call_has_the_conventions_names_and_counts_cached_tokens_in(trace: Trace) -> None:
    *_, call = parsed(trace)

    assert call.kind == Span.SPAN_KIND_CLIENT
    assert attributes(call) == {
        names.OPERATION: "chat",
        names.PROVIDER: "anthropic",
        names.MODEL: "claude-haiku-5-5",
        names.INPUT_TOKENS: 125,
        names.CACHE_READ_TOKENS: 100,
        names.CACHE_WRITE_TOKENS: 5,
        names.OUTPUT_TOKENS: 7,
        "plinth.cost_micro_usd": 42,
    }


def test_what_failed_has_an_error_status_and_type(trace: Trace) -> None:
    failed = {span.name: attributes(span)[names.ERROR] for span in parsed(trace) if span.status.code == 2}

    assert failed["invoke_workflow answer"] == failed["chat claude-haiku-5-5"] == "model_silent"
    assert failed["try 1"] == "MemoryUnavailableError"
    assert Status.StatusCode.Value("STATUS_CODE_ERROR") == 2


def test_first_text_and_dropped_text_are_events_of_the_run(trace: Trace) -> None:
    run = parsed(trace)[0]

    assert [event.name for event in run.events] == ["first text", "reset"]


def test_an_export_holds_no_content_and_is_the_same_twice(trace: Trace) -> None:
    assert otlp_json(trace, environment="test") == otlp_json(trace, environment="test")
    assert "secret" not in str(otlp_json(trace, environment="test"))


def test_a_tool_and_a_search_are_operations_of_the_convention(trace: Trace) -> None:
    told = {span.name: attributes(span) for span in parsed(trace)}

    assert told["RetrieveContext"][names.OPERATION] == "retrieval"
    assert (told["execute_tool calculate"][names.OPERATION], told["execute_tool calculate"][names.TOOL]) == (
        "execute_tool",
        "calculate",
    )
