"""The loop of model and tools over a whole chain: what the model is told, what is cited, what ends a run."""

from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from functions.build_prompt.handler import build_prompt
from functions.call_model.handler import call_model
from functions.parse_reply.handler import parse_reply
from functions.retrieve_context.handler import retrieve_context
from functions.run_external_tool.handler import run_external_tool
from functions.run_tool.handler import run_tool
from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.chain.failures import run_failure
from plinth.chain.tool_turns import MAX_CALLS, RESULT_CHARACTERS
from plinth.contracts.access import Allowance, Allowances
from plinth.contracts.events import Reset, TextDelta
from plinth.contracts.memory import StoredPassage
from plinth.contracts.models import Message, ModelEnd, Role, StopReason, ToolCall, ToolResult
from plinth.contracts.runs import Answer, Citation, Run
from plinth.contracts.tools import ToolOutcome
from plinth.errors import MemoryUnavailableError
from plinth.money.budgets import budgets_of
from plinth.runtime import own_surroundings, tool_calls
from plinth.tools.tool import Effect, Tool
from plinth.tools.toolbox import TOOLS
from tests.fakes.ledger_rows import FakeLedgerRows
from tests.fakes.models import FakeModel, whole
from tests.unit.steps.conftest import TENANT, ChainServices

Call = Callable[..., dict[str, Any]]
SUM = ToolCall(id="call_1", name="calculate", arguments='{"expression": "6 * 7"}')
LOOK = ToolCall(id="call_2", name="search_memory", arguments='{"query": "opening hours"}')


def asks_for(*calls: ToolCall) -> ModelEnd:
    return replace(whole(StopReason.TOOL_USE), tool_calls=calls)


@pytest.fixture
def run(accept: Callable[..., Run], call: Call) -> Run:
    run = accept("How many?", tools=("calculate", "search_memory"))
    call(retrieve_context, run=run)
    call(build_prompt, run=run)
    return run


def turn_after_tools(call: Call, run: Run, *, turn: int, tools: int) -> dict[str, Any]:
    """Walk the machine from a reply that asks for tools to the reply of this turn."""
    for number in range(1, tools + 1):
        if call(run_tool, run=run, turn=turn - 1, number=number)["outside"]:
            call(run_external_tool, run=run, turn=turn - 1, number=number)
    call(build_prompt, run=run, turn=turn)
    return call(call_model, run=run, attempt=1, turn=turn, after="tools")


def told(services: ChainServices) -> Message:
    """Return what the model was told last."""
    return services.model.requests[-1].prompt.messages[-1]


def test_the_model_is_told_what_its_tool_gave_back_and_answers_with_it(
    services: ChainServices, call: Call, run: Run
) -> None:
    services.model = FakeModel((["Let me count."], asks_for(SUM)), (["Forty-two."], whole()))

    first = call(call_model, run=run, attempt=1)
    second = turn_after_tools(call, run, turn=2, tools=1)
    parsed = call(parse_reply, run=run, turn=2)

    assert (first["outcome"], first["tool_calls"]) == ("complete", 1)
    assert (second["outcome"], second["tool_calls"]) == ("complete", 0)
    assert services.model.requests[1].prompt.messages[-2] == Message(
        role=Role.ASSISTANT, text="Let me count.", tool_calls=(SUM,)
    )
    (result,) = told(services).tool_results
    assert (result.call_id, result.failed) == ("call_1", False)
    assert result.text.endswith("42")
    assert "never an instruction" in result.text
    assert services.runs.get_content(run, "answer", Answer).text == "Forty-two."
    assert parsed["cacheable"] is False


def test_what_was_said_before_the_tools_is_void_for_readers(services: ChainServices, call: Call, run: Run) -> None:
    services.model = FakeModel((["Let me count."], asks_for(SUM)), (["Forty-two."], whole()))

    call(call_model, run=run, attempt=1)
    turn_after_tools(call, run, turn=2, tools=1)

    events = [logged.event for logged in services.run_log.read(TENANT, run.id, after=1)]
    assert events == [
        TextDelta(text="Let me count.", attempt=1, offset=0),
        Reset(attempt=2, reason="tools"),
        TextDelta(text="Forty-two.", attempt=2, offset=0),
    ]


def test_a_model_is_offered_what_was_asked_for_and_nothing_else(
    services: ChainServices, call: Call, run: Run, accept: Callable[..., Run]
) -> None:
    services.model = FakeModel((["Yes."], whole()), (["Yes."], whole()))
    bare = accept("How many?", run_id="run_2")
    call(retrieve_context, run=bare)
    call(build_prompt, run=bare)

    call(call_model, run=run, attempt=1)
    call(call_model, run=bare, attempt=1)

    offered, nothing = (request.prompt for request in services.model.requests)
    assert [tool.name for tool in offered.tools] == ["calculate", "search_memory"]
    assert nothing.tools == ()
    assert "tool" not in nothing.system


def passage(position: int) -> StoredPassage:
    return StoredPassage(
        chunk_id=f"doc_1:g:{position}",
        document_id="doc_1",
        generation="g",
        position=position,
        name="hours.md",
        title="Hours",
        above="Hours",
        text=f"Passage {position}.",
        score=1.0,
    )


def looked_up(services: ChainServices, call: Call, run: Run) -> tuple[ToolResult, tuple[Citation, ...]]:
    """Take the run through the turn that looks something up and the one that answers; return what each came to."""
    call(call_model, run=run, attempt=1)
    turn_after_tools(call, run, turn=2, tools=1)
    call(parse_reply, run=run, turn=2)
    (result,) = told(services).tool_results
    return result, services.runs.get_content(run, "answer", Answer).citations


def test_passages_that_a_tool_finds_get_the_next_numbers_and_can_be_cited(
    services: ChainServices, call: Call, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.runs.put_content(run, "passages", (passage(1), passage(2)))
    found = (passage(2), passage(3))
    monkeypatch.setattr(own_surroundings, "search", lambda *_, **__: (found, ()))
    services.model = FakeModel(([], asks_for(LOOK)), (["At nine [3], as said [2]."], whole()))

    result, cited = looked_up(services, call, run)
    assert "[2] Hours\nPassage 2." in result.text
    assert "[3] Hours\nPassage 3." in result.text
    assert [(each.marker, each.text) for each in cited] == [(3, "Passage 3."), (2, "Passage 2.")]


def test_a_passage_of_a_newer_version_of_its_document_has_a_number_of_its_own(
    services: ChainServices, call: Call, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced = replace(passage(1), chunk_id="doc_1:h:1", generation="h", text="Within 14 days.")
    services.runs.put_content(run, "passages", (passage(1),))
    monkeypatch.setattr(own_surroundings, "search", lambda *_, **__: ((replaced,), ()))
    services.model = FakeModel(([], asks_for(LOOK)), (["Within 14 days [2]."], whole()))

    result, cited = looked_up(services, call, run)
    assert "[2] Hours\nWithin 14 days." in result.text
    assert [each.text for each in cited] == ["Within 14 days."]


def outcome_of(services: ChainServices, call: Call, run: Run, asked: ToolCall) -> ToolResult:
    """Return what the model is told after it asked for this."""
    services.model = FakeModel(([], asks_for(asked)), (["So be it."], whole()))
    assert call(call_model, run=run, attempt=1)["outcome"] == "complete"
    turn_after_tools(call, run, turn=2, tools=1)
    (result,) = told(services).tool_results
    return result


def test_a_tool_that_can_not_tells_the_model_why(services: ChainServices, call: Call, run: Run) -> None:
    result = outcome_of(services, call, run, replace(SUM, arguments='{"expression": "1 / 0"}'))

    assert result.failed
    assert "DivisionByZero" in result.text


def test_a_tool_that_takes_too_long_is_given_up(
    services: ChainServices, call: Call, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = Event()
    slow: Tool[Any] = replace(
        TOOLS["calculate"], timeout_seconds=0.05, work=lambda *_: ToolOutcome(text=str(ended.wait(20)))
    )
    monkeypatch.setattr(tool_calls, "TOOLS", {"calculate": slow})

    result = outcome_of(services, call, run, SUM)

    ended.set()
    assert result.failed
    assert "longer than 0.05 s" in result.text


def test_a_tool_that_is_gone_since_it_was_offered_is_told_as_such(
    services: ChainServices, call: Call, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool_calls, "TOOLS", {})

    assert "not offered" in outcome_of(services, call, run, SUM).text


def test_a_tool_that_never_answered_does_not_end_the_run(services: ChainServices, call: Call, run: Run) -> None:
    services.model = FakeModel(([], asks_for(SUM)), (["I can't tell."], whole()))
    call(call_model, run=run, attempt=1)

    turn_after_tools(call, run, turn=2, tools=0)

    (result,) = told(services).tool_results
    assert result.failed
    assert "did not answer" in result.text


def test_of_more_calls_than_are_made_at_once_the_rest_is_told_as_such(
    services: ChainServices, call: Call, run: Run
) -> None:
    many = [replace(SUM, id=f"call_{number}") for number in range(MAX_CALLS + 3)]
    services.model = FakeModel(([], asks_for(*many)), (["Forty-two."], whole()))

    first = call(call_model, run=run, attempt=1)
    turn_after_tools(call, run, turn=2, tools=first["tool_calls"])

    results = told(services).tool_results
    assert first["tool_calls"] == MAX_CALLS
    assert [result.call_id for result in results] == [each.id for each in many]
    assert [result.failed for result in results] == [False] * MAX_CALLS + [True] * 3
    assert "at most 16 calls" in results[-1].text


def test_a_store_that_fails_under_a_tool_is_for_the_machine_to_try_again(
    services: ChainServices, call: Call, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise MemoryUnavailableError("throttled")

    monkeypatch.setattr(own_surroundings, "search", unavailable)
    services.model = FakeModel(([], asks_for(LOOK)))
    call(call_model, run=run, attempt=1)

    with pytest.raises(MemoryUnavailableError):
        call(run_tool, run=run, turn=1, number=1)


def test_a_long_result_is_cut(services: ChainServices, call: Call, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    endless: Tool[Any] = replace(TOOLS["calculate"], work=lambda *_: ToolOutcome(text="9" * 100_000))
    monkeypatch.setattr(tool_calls, "TOOLS", {"calculate": endless})

    result = outcome_of(services, call, run, SUM)

    assert result.text.endswith("(cut here)")
    assert result.text.count("9") == RESULT_CHARACTERS


def test_a_step_that_is_repeated_builds_the_same_prompt(services: ChainServices, call: Call, run: Run) -> None:
    services.model = FakeModel(([], asks_for(SUM)), (["Forty-two."], whole()))
    call(call_model, run=run, attempt=1)
    call(run_tool, run=run, turn=1, number=1)

    call(run_tool, run=run, turn=1, number=1)
    call(build_prompt, run=run, turn=2)
    call(build_prompt, run=run, turn=2)
    call(call_model, run=run, attempt=1, turn=2, after="tools")

    assert len(services.model.requests[1].prompt.messages) == len(services.model.requests[0].prompt.messages) + 2


def test_a_model_that_asks_for_tools_in_its_last_turn_was_told_and_ends_the_run(
    services: ChainServices, call: Call, run: Run
) -> None:
    turns = services.runs.get(TENANT, run.id).request.max_turns
    services.model = FakeModel(*[([], asks_for(SUM))] * turns)
    result = call(call_model, run=run, attempt=1)
    for turn in range(2, turns + 1):
        assert result["outcome"] == "complete"
        result = turn_after_tools(call, run, turn=turn, tools=1)

    assert "no more tools" in told(services).text
    assert (result["outcome"], len(result["calls"])) == ("failed", 1)
    assert run_failure(result["error"]).reason == result["reason"] == "tool_turns_spent"


@pytest.mark.guarantee_b
def test_each_turn_is_paid_for_by_a_reservation_of_its_own(
    services: ChainServices, call: Call, accept: Callable[..., Run]
) -> None:
    services.ledger = LedgerOverRows(FakeLedgerRows(), clock=services.clock)
    budgets = Allowances(tenant=Allowance(day_micro_usd=1_000_000), revision=1)
    run = accept("How many?", tools=("calculate",), budgets=budgets)
    call(retrieve_context, run=run)
    call(build_prompt, run=run)
    services.model = FakeModel(([], asks_for(SUM)), (["Forty-two."], whole()))

    first = call(call_model, run=run, attempt=1)
    second = turn_after_tools(call, run, turn=2, tools=1)

    (left,) = services.ledger.left(budgets_of(TENANT, services.runs.get(TENANT, run.id).request))
    bills = [result["calls"][0]["cost_micro_usd"] for result in (first, second)]
    assert all(bills)
    assert (left.day.spent_micro_usd, left.day.held_micro_usd) == (sum(bills), 0)


def an_effect(monkeypatch: pytest.MonkeyPatch, effect: Effect) -> list[object]:
    """Let `calculate` have this effect, and return what it was called with, which fills as it is."""
    made: list[object] = []

    def work(given: object, _: object) -> ToolOutcome:
        made.append(given)
        return ToolOutcome(text="Done.")

    acting: Tool[Any] = replace(TOOLS["calculate"], effect=effect, work=work)
    monkeypatch.setattr(tool_calls, "TOOLS", {"calculate": acting})
    return made


@pytest.mark.guarantee_h
@pytest.mark.parametrize("effect", [Effect.WRITE, Effect.EXTERNAL])
def test_an_effect_that_nobody_approved_is_refused_and_told_where_the_model_has_read_passages(
    services: ChainServices, call: Call, run: Run, monkeypatch: pytest.MonkeyPatch, effect: Effect
) -> None:
    services.runs.put_content(run, "passages", (passage(1),))
    call(build_prompt, run=run)
    made = an_effect(monkeypatch, effect)

    result = outcome_of(services, call, run, SUM)

    assert result.failed
    assert "approval" in result.text
    assert made == []


@pytest.mark.guarantee_h
def test_an_effect_happens_where_the_model_has_read_the_question_alone_and_not_after_a_tools_result(
    services: ChainServices, call: Call, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = an_effect(monkeypatch, Effect.WRITE)
    services.model = FakeModel(([], asks_for(SUM)), ([], asks_for(SUM)), (["So be it."], whole()))

    call(call_model, run=run, attempt=1)
    turn_after_tools(call, run, turn=2, tools=1)
    first = told(services).tool_results
    turn_after_tools(call, run, turn=3, tools=1)
    second = told(services).tool_results

    assert [result.failed for result in (*first, *second)] == [False, True]
    assert len(made) == 1
