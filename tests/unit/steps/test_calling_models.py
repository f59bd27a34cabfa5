"""CallModel over a route of scripted models: what is asked next, what is shown, what it costs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.build_prompt.handler import build_prompt
from functions.call_model.handler import call_model
from functions.fail_run.handler import fail_run
from functions.retrieve_context.handler import retrieve_context
from plinth.adapters.dynamo_breakers import FAILURES, OPEN_SECONDS
from plinth.chain.catalogue import model
from plinth.chain.failures import run_failure
from plinth.contracts.events import Reset, StepEnded, TextDelta
from plinth.contracts.models import ModelEnd, Reply, StopReason, ToolCall, Usage, Working
from plinth.contracts.runs import Run, RunStatus
from plinth.errors import (
    ModelBusyError,
    ModelCancelledError,
    ModelError,
    ModelKeyRefusedError,
    ModelReplyInvalidError,
    ModelRequestRefusedError,
    ModelSilentError,
    ModelStreamCutError,
    ModelUnavailableError,
    ModelWakingError,
    StoreUnavailableError,
)
from tests.fakes.models import FakeModel, whole
from tests.fakes.waking_endpoint import NEVER, WakingEndpoint
from tests.unit.steps.conftest import TENANT, ChainServices

Call = Callable[..., dict[str, Any]]
Accept = Callable[..., Run]
STEP = StepEnded(step="BuildPrompt", started_at=1.0, duration_ms=2.0)
FAST = ("claude-haiku-5-5", "claude-haiku-4-5", "gpt-6-luna")

pytestmark = pytest.mark.guarantee_f


@pytest.fixture
def run(services: ChainServices, call: Call, accept: Accept) -> Run:
    """Return a run on the route `fast` whose prompt is built."""
    accepted = accept("Is it?", model="fast", models=FAST)
    call(retrieve_context, run=accepted)
    call(build_prompt, run=accepted)
    return accepted


def play(call: Call, run: Run, **first: object) -> list[dict[str, Any]]:
    """Walk the machine's loop of CallModel; return its results."""
    results: list[dict[str, Any]] = []
    state: dict[str, object] = {"position": 0, "after": "", **first}
    for attempt in range(1, 10):
        results.append(call(call_model, run=run, attempt=attempt, steps=[], **state))
        if results[-1]["outcome"] != "retry":
            return results
        state |= {"position": results[-1]["position"], "after": results[-1]["reason"]}
    raise AssertionError("the machine would call for ever")


def events(services: ChainServices, run: Run) -> list[object]:
    return [entry.event for entry in services.run_log.read(TENANT, run.id, after=1)]


def test_the_next_model_answers_where_the_first_is_down_and_both_stand_in_the_bill(
    services: ChainServices, call: Call, run: Run
) -> None:
    services.model = FakeModel(([], ModelUnavailableError("down")), (["Yes."], whole()))

    first, second = play(call, run)

    assert (first["outcome"], first["position"], first["wait_seconds"]) == ("retry", 1, 0.0)
    assert [each["model"] for each in (*first["calls"], *second["calls"])] == ["claude-haiku-5-5", "claude-haiku-4-5"]
    assert (first["calls"][0]["outcome"], first["calls"][0]["cost_micro_usd"]) == ("model_unavailable", 0)
    assert second["calls"][0]["cost_micro_usd"] == 200  # 100 x $1 + 20 x $5 per million tokens
    assert services.runs.get_content(run, "reply", Reply).cost.model == "claude-haiku-4-5"


def test_a_failover_before_any_text_shows_no_reset_and_one_after_it_does(
    services: ChainServices, call: Call, run: Run
) -> None:
    services.model = FakeModel(
        ([], ModelBusyError("busy")), (["Half an"], ModelStreamCutError("cut")), (["A whole answer."], whole())
    )

    results = play(call, run)

    assert results[-1]["outcome"] == "complete"
    assert events(services, run) == [
        TextDelta(text="Half an", attempt=1, offset=0),
        Reset(attempt=2, reason="model_stream_cut"),
        TextDelta(text="A whole answer.", attempt=2, offset=0),
    ]


def test_three_failures_end_the_turn_whatever_the_route_still_has(
    services: ChainServices, call: Call, run: Run
) -> None:
    services.model = FakeModel(*[([], ModelUnavailableError("down"))] * 9)

    results = play(call, run)

    assert [each["outcome"] for each in results] == ["retry", "retry", "failed"]
    assert results[-1]["error"] == "ModelUnavailableError"
    assert len(services.model.requests) == 3


@pytest.mark.parametrize(
    ("error", "cost"),
    [
        (ModelUnavailableError("refused"), 0),
        (ModelBusyError("busy"), 0),
        (ModelRequestRefusedError("no"), 0),
        (ModelKeyRefusedError("no"), 0),
        (ModelStreamCutError("cut", usage=Usage(input_tokens=1000, output_tokens=0)), 100),
        (ModelStreamCutError("cut"), None),
        (ModelSilentError("silent"), None),
    ],
    ids=repr,
)
def test_a_failed_call_costs_nothing_its_bill_or_the_bound(
    services: ChainServices, call: Call, run: Run, error: ModelError, cost: int | None
) -> None:
    services.model = FakeModel(([], error))

    result = call(call_model, run=run, attempt=1, steps=[])

    (made,) = result["calls"]
    assert made["cost_micro_usd"] == (made["bound_micro_usd"] if cost is None else cost)
    assert made["estimated"] is (cost is None)
    assert made["bound_micro_usd"] > 0


def test_a_refusal_is_an_answer_and_asks_no_other_model(services: ChainServices, call: Call, run: Run) -> None:
    services.model = FakeModel(([], whole(StopReason.REFUSAL)), (["Yes."], whole()))

    (result,) = play(call, run)

    assert result["outcome"] == "complete"
    assert services.runs.get_content(run, "reply", Reply).stop_reason is StopReason.REFUSAL


@pytest.mark.parametrize(
    "end",
    [
        whole(),
        replace(whole(StopReason.TOOL_USE), tool_calls=(ToolCall(id="1", name="pay", arguments="{}"),)),
    ],
    ids=["empty", "tool nobody offered"],
)
def test_what_is_no_answer_moves_on_and_is_paid_as_billed(
    services: ChainServices, call: Call, run: Run, end: ModelEnd
) -> None:
    services.model = FakeModel(([], end), (["Yes."], whole()))

    first, second = play(call, run)

    assert (first["reason"], first["calls"][0]["cost_micro_usd"]) == (ModelReplyInvalidError.reason, 20)
    assert second["outcome"] == "complete"


def test_a_model_that_spends_its_tokens_on_thinking_is_not_asked_the_same_again(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    run = accept("Is it?", model="gpt-6-luna", models=("gpt-6-luna",))
    call(retrieve_context, run=run)
    call(build_prompt, run=run)
    services.model = FakeModel(([Working()], whole(StopReason.MAX_TOKENS)))

    (result,) = play(call, run)

    assert (result["outcome"], result["reason"]) == ("failed", "model_output_spent")
    assert "max_output_tokens" in run_failure(result["error"]).message
    assert result["calls"][0]["cost_micro_usd"] > 0


def test_a_model_whose_breaker_is_open_is_passed_over_without_a_call_or_an_attempt(
    services: ChainServices, call: Call, run: Run
) -> None:
    services.model = FakeModel((["Yes."], whole()))
    for _ in range(FAILURES):
        services.breakers.failed("claude-haiku-5-5")

    (result,) = play(call, run)

    assert (result["outcome"], result["position"]) == ("complete", 1)
    assert [request.model for request in services.model.requests] == ["claude-haiku-4-5"]


def test_the_last_open_breaker_is_waited_for(services: ChainServices, call: Call, run: Run) -> None:
    services.model = FakeModel()
    for name in FAST:
        for _ in range(FAILURES):
            services.breakers.failed(name)

    result = call(call_model, run=run, attempt=1, steps=[])

    assert (result["outcome"], result["reason"], result["calls"]) == ("retry", "breaker_open", ())
    assert result["wait_seconds"] == OPEN_SECONDS


def test_failures_open_the_breaker_and_a_success_closes_it(services: ChainServices, call: Call, run: Run) -> None:
    services.model = FakeModel(*[([], ModelSilentError("silent"))] * FAILURES, (["Yes."], whole()))
    for _ in range(FAILURES):
        call(call_model, run=run, attempt=1, steps=[])

    assert services.breakers.look("claude-haiku-5-5").open_until is not None
    services.time.advance(OPEN_SECONDS)
    call(call_model, run=run, attempt=1, steps=[])
    assert not services.breakers.look("claude-haiku-5-5").failing


def test_a_busy_model_and_a_wrong_key_open_no_breaker(services: ChainServices, call: Call, run: Run) -> None:
    errors: list[ModelError] = [ModelBusyError("busy"), ModelKeyRefusedError("no")] * FAILURES
    services.model = FakeModel(*[([], error) for error in errors])
    for _ in errors:
        call(call_model, run=run, attempt=1, steps=[])

    assert services.breakers.look("claude-haiku-5-5").open_until is None


def test_a_conversation_s_model_is_asked_first(services: ChainServices, call: Call, run: Run) -> None:
    services.model = FakeModel(([], ModelBusyError("busy")), (["Yes."], whole()))

    play(call, run, last_model="gpt-6-luna")

    assert [request.model for request in services.model.requests] == ["gpt-6-luna", "claude-haiku-5-5"]


def test_only_a_conversation_asks_the_provider_to_keep_the_prompt(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    services.model = FakeModel((["Yes."], whole()), (["Yes."], whole()))
    for run_id, conversation in (("run_1", None), ("run_2", "talk")):
        run = accept("Is it?", run_id=run_id, conversation_id=conversation)
        call(retrieve_context, run=run)
        call(build_prompt, run=run)
        call(call_model, run=run, attempt=1, steps=[])

    assert [request.keep_prompt for request in services.model.requests] == [False, True]


def test_a_store_that_fails_after_the_model_was_paid_never_raises_into_a_retry_of_the_machine(
    services: ChainServices, call: Call, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.model = FakeModel(*[(["Yes."], whole())] * 3)

    def unavailable(*_arguments: object) -> None:
        raise StoreUnavailableError("throttled")

    monkeypatch.setattr(services.runs, "put_content", unavailable)

    results = play(call, run)

    assert [each["outcome"] for each in results] == ["retry", "retry", "failed"]
    assert [each["calls"][0]["cost_micro_usd"] for each in results] == [20, 200, 20]  # the bill, no bound


def test_a_store_that_fails_opens_no_model_s_breaker(
    services: ChainServices, call: Call, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.model = FakeModel(*[(["Yes."], whole())] * FAILURES)

    def unavailable(*_arguments: object) -> None:
        raise StoreUnavailableError("throttled")

    monkeypatch.setattr(services.runs, "put_content", unavailable)
    for _ in range(FAILURES):
        call(call_model, run=run, attempt=1, steps=[])

    assert not services.breakers.look("claude-haiku-5-5").failing


def test_a_call_for_which_no_time_is_left_is_not_made_and_is_no_failure_of_the_model(
    services: ChainServices, call: Call, run: Run
) -> None:
    services.model = FakeModel()
    services.time.advance(270)

    result = call(call_model, run=run, attempt=2, steps=[])

    assert (result["outcome"], result["calls"], services.model.requests) == ("failed", (), [])
    assert not services.breakers.look("claude-haiku-5-5").failing


def test_a_machine_that_asks_a_fourth_time_gets_an_error_and_no_call(
    services: ChainServices, call: Call, run: Run
) -> None:
    services.model = FakeModel()

    with pytest.raises(ModelUnavailableError, match="had its calls"):
        call(call_model, run=run, attempt=4, steps=[])

    assert services.model.requests == []


def test_a_healthy_call_writes_nothing_to_the_breaker(
    services: ChainServices, call: Call, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.model = FakeModel((["Yes."], whole()))
    closed: list[str] = []
    monkeypatch.setattr(services.breakers, "succeeded", closed.append)

    call(call_model, run=run, attempt=1, steps=[])

    assert closed == []


def test_a_tool_call_is_not_kept_unless_the_model_stopped_for_it(services: ChainServices, call: Call, run: Run) -> None:
    cut = ToolCall(id="1", name="pay", arguments='{"amount": 100')
    services.model = FakeModel((["I pay."], replace(whole(StopReason.MAX_TOKENS), tool_calls=(cut,))))

    call(call_model, run=run, attempt=1, steps=[])

    assert services.runs.get_content(run, "reply", Reply).tool_calls == ()


def test_finished_steps_are_logged_once_though_a_retry_carries_them_again(
    services: ChainServices, call: Call, run: Run
) -> None:
    services.model = FakeModel((["Half"], None), (["Whole."], whole()))

    call(call_model, run=run, attempt=1, steps=[STEP])
    call(call_model, run=run, attempt=2, steps=[STEP])

    assert events(services, run).count(STEP) == 1


def ask_self_hosted_first(services: ChainServices, call: Call, accept: Accept, run_id: str) -> list[str]:
    """Answer one run of the route; return the models that were called."""
    run = accept("Is it?", run_id=run_id, model="self-hosted-first")
    call(retrieve_context, run=run)
    call(build_prompt, run=run)
    return [made["model"] for result in play(call, run) for made in result["calls"]]


def test_an_endpoint_is_woken_by_its_callers_while_the_next_model_answers_them(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    services.models = {"sagemaker_openai": WakingEndpoint(services.time)}
    services.model = FakeModel(*[(["From the API."], whole())] * 2)

    asked = []
    for minute in (0, 2, 5):
        asked.append(ask_self_hosted_first(services, call, accept, f"run_{minute}"))
        services.time.advance(150)

    assert asked == [["plinth-gpu", "claude-haiku-5-5"], ["plinth-gpu", "claude-haiku-5-5"], ["plinth-gpu"]]


@pytest.mark.parametrize("failure", [ModelUnavailableError, ModelWakingError])
def test_an_endpoint_that_never_wakes_costs_no_run_its_answer(
    services: ChainServices, call: Call, accept: Accept, failure: type[ModelError]
) -> None:
    endpoint = WakingEndpoint(services.time, wakes_after_seconds=NEVER, while_waking=failure)
    services.models = {"sagemaker_openai": endpoint}
    services.model = FakeModel(*[(["From the API."], whole())] * 8)

    asked = [ask_self_hosted_first(services, call, accept, f"run_{number}") for number in range(8)]

    assert all(models[-1] == "claude-haiku-5-5" for models in asked)
    assert len(endpoint.called_at) == (FAILURES if failure is ModelUnavailableError else 8)


def test_an_endpoint_that_takes_requests_and_never_answers_is_left_after_its_first_word_limit(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    services.models = {"sagemaker_openai": WakingEndpoint(services.time, wakes_after_seconds=0, answer=None)}
    services.model = FakeModel((["From the API."], whole()))
    asked_at = services.time.now()

    models = ask_self_hosted_first(services, call, accept, "run_1")

    assert models == ["plinth-gpu", "claude-haiku-5-5"]
    assert services.time.now() - asked_at == model("plinth-gpu").first_seconds


def test_a_run_that_was_cancelled_asks_no_model(services: ChainServices, call: Call, run: Run) -> None:
    services.model = FakeModel()
    services.runs.cancel(TENANT, run.id)

    (result,) = play(call, run)

    assert (result["outcome"], result["reason"], result["calls"]) == ("failed", "cancelled", ())
    assert services.model.requests == []


def test_a_run_that_is_cancelled_while_its_model_writes_is_charged_and_asks_no_other(
    services: ChainServices, call: Call, run: Run
) -> None:
    services.model = FakeModel((["Half an"], ModelCancelledError("not wanted")), (["Whole."], whole()))

    (result,) = play(call, run)
    call(fail_run, run=run, owner="one", error=result["error"], calls=result["calls"], steps=[])

    assert (result["outcome"], result["calls"][0]["outcome"]) == ("failed", "cancelled")
    assert result["calls"][0]["estimated"]
    record = services.runs.get(TENANT, run.id)
    assert record.status is RunStatus.CANCELLED
    assert record.failure is not None
    assert record.failure.reason == "cancelled"
    assert services.breakers.look("claude-haiku-5-5").failing is False


def test_a_model_is_asked_to_stop_as_soon_as_its_run_is_not_wanted(
    services: ChainServices, call: Call, run: Run
) -> None:
    services.model = FakeModel((["Yes."], whole()))
    play(call, run)
    (request,) = services.model.requests

    before = request.limits.cancelled()
    services.runs.cancel(TENANT, run.id)

    assert (before, request.limits.cancelled()) == (False, True)


@pytest.fixture
def routeless(call: Call, accept: Accept) -> Run:
    """Return a run on one model, which is waited for, with its prompt built."""
    accepted = accept("Is it?")
    call(retrieve_context, run=accepted)
    call(build_prompt, run=accepted)
    return accepted


def test_a_wait_for_a_model_is_looked_in_on_and_a_run_that_is_cancelled_meanwhile_ends(
    services: ChainServices, call: Call, routeless: Run
) -> None:
    services.model = FakeModel(([], ModelBusyError("busy", 30.0)), (["Yes."], whole()))
    busy = call(call_model, run=routeless, attempt=1, steps=[])
    going_on = {"run": routeless, "attempt": 2, "steps": [], "after": busy["reason"], "resumes_at": busy["resumes_at"]}

    services.time.advance(2)
    early = call(call_model, **going_on)
    services.runs.cancel(TENANT, routeless.id)
    cancelled = call(call_model, **going_on)

    assert (early["outcome"], early["wait_seconds"], early["calls"]) == ("waiting", 28.0, ())
    assert (early["resumes_at"], early["reason"]) == (busy["resumes_at"], "model_busy")
    assert (cancelled["outcome"], cancelled["reason"]) == ("failed", "cancelled")
    assert len(services.model.requests) == 1


def test_a_wait_that_is_over_is_followed_by_the_call(services: ChainServices, call: Call, routeless: Run) -> None:
    services.model = FakeModel(([], ModelBusyError("busy", 30.0)), (["Yes."], whole()))
    busy = call(call_model, run=routeless, attempt=1, steps=[])

    services.time.advance(30)
    made = call(call_model, run=routeless, attempt=2, steps=[], resumes_at=busy["resumes_at"])

    assert made["outcome"] == "complete"
