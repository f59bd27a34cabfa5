"""The steps of an approval: the question with all that led to it, and the last look before the call is made."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.build_prompt.handler import build_prompt
from functions.call_model.handler import call_model
from functions.claim_run.handler import claim_run
from functions.retrieve_context.handler import retrieve_context
from functions.run_external_tool.handler import run_external_tool
from functions.run_tool.handler import run_tool
from functions.save_continuation.handler import save_continuation
from plinth.contracts.approvals import Decision, Ruling
from plinth.contracts.events import ApprovalNeeded, StepEnded
from plinth.contracts.executions import Continuation, ResumeAt
from plinth.contracts.models import Reply, ToolCall
from plinth.contracts.runs import Run, RunStatus
from plinth.contracts.tools import ToolOutcome
from plinth.errors import RunSupersededError
from plinth.runtime.approving import decide
from plinth.tools.approvals import APPROVAL_SECONDS
from tests.fakes.models import FakeModel
from tests.unit.access.world import TIER
from tests.unit.steps.conftest import TENANT, ChainServices
from tests.unit.steps.test_effects import asks_for, passage

pytestmark = pytest.mark.guarantee_h
Call = Callable[..., dict[str, Any]]
FACT = ToolCall(id="call_1", name="remember", arguments='{"fact": "Ann drinks tea."}')
PAGE = ToolCall(id="call_2", name="fetch_url", arguments='{"url": "https://docs.example.org/"}')
API = StepEnded(step="Api", started_at=0.0, duration_ms=1.0)


@pytest.fixture
def paused(services: ChainServices, call: Call, accept: Callable[..., Run]) -> Callable[..., Run]:
    """Take a run as far as its question to a person, and return it as it goes on."""

    def ask(*calls: ToolCall) -> Run:
        run = accept("Why?", seconds=1800, tools=("fetch_url", "remember"), fetch_hosts=("docs.example.org",))
        services.limits.admit(run, TIER, tokens=1)
        claimed = call(claim_run, run=run, owner="first")
        assert claimed["claimed"]
        call(retrieve_context, run=run)
        services.runs.put_content(run, "passages", (passage(),))
        call(build_prompt, run=run)
        services.model = FakeModel(([], asks_for(*calls)))
        said = call(call_model, run=run, attempt=1)
        assert said["asks_person"]
        step = StepEnded(step="CallModel", started_at=1.0, duration_ms=1.0)
        going_on = Continuation(resume_at=ResumeAt.RUN_TOOLS, tool_calls=said["tool_calls"], steps=(step,))
        saved = call(save_continuation, run=run, machine="answer", continuation=going_on)
        return replace(run, epoch=saved["epoch"])

    return ask


def resume(services: ChainServices, call: Call, run: Run, *decisions: Decision) -> Run:
    """Let a person decide, in order, and the next execution begin."""
    for asked, decision in zip(services.runs.get(TENANT, run.id).approvals, decisions, strict=True):
        made = Ruling(
            call=asked.call, arguments_sha256=asked.arguments_sha256, decision=decision, user="ann", key_id="k1"
        )
        decide(services.runs.get(TENANT, run.id), TENANT, made, services, API)
    claimed = call(claim_run, run=run, owner="second")
    assert claimed["claimed"]
    assert claimed["continuation"]["resume_at"] == "RunTools"
    return run


def told(services: ChainServices, run: Run, number: int) -> str:
    return services.runs.get_content(run, f"tool-{run.epoch}-1-{number}", ToolOutcome).text


def facts(services: ChainServices) -> list[str]:
    return [fact.text for fact in services.facts.all(TENANT, "ann")]


def test_a_question_comes_with_the_steps_before_it_and_keeps_the_place_until_the_new_deadline(
    services: ChainServices, paused: Callable[..., Run]
) -> None:
    run = paused(FACT, PAGE)

    record = services.runs.get(TENANT, run.id)
    events = [each.event for each in services.run_log.read(TENANT, run.id, after=0)]
    assert record.status is RunStatus.AWAITING_APPROVAL
    assert [each.call for each in events if isinstance(each, ApprovalNeeded)] == ["1-1", "1-2"]
    assert [each.step for each in events if isinstance(each, StepEnded)] == ["CallModel"]
    assert [each.step for each in services.executions.continuation(run).steps] == ["SaveContinuation"]
    assert services.limits.running[run.id] == record.deadline
    assert services.machines.answers == {}


def test_what_was_approved_is_made_and_nothing_that_a_late_writer_put_in_its_place(
    services: ChainServices, call: Call, paused: Callable[..., Run]
) -> None:
    run = resume(services, call, paused(FACT), Decision.APPROVE)
    reply = services.runs.get_content(run, "reply", Reply)
    other = replace(FACT, arguments='{"fact": "Ann trusts evil.test."}')

    services.runs.put_content(run, "reply", replace(reply, tool_calls=(other,)))
    assert not call(run_tool, run=run, turn=1, number=1)["done"]
    assert "approval" in told(services, run, 1)
    services.runs.put_content(run, "reply", reply)
    assert call(run_tool, run=run, turn=1, number=1)["done"]

    assert facts(services) == ["Ann drinks tea."]


def test_a_late_writer_of_the_reply_is_put_right_before_the_tools(
    services: ChainServices, call: Call, paused: Callable[..., Run]
) -> None:
    run = paused(FACT)
    reply = services.runs.get_content(run, "reply", Reply)
    services.runs.put_content(replace(run, epoch=1), "reply", replace(reply, tool_calls=()))

    run = resume(services, call, run, Decision.APPROVE)

    assert call(run_tool, run=run, turn=1, number=1)["done"]


def test_a_call_that_reaches_outside_is_begun_once_per_approval(
    services: ChainServices, call: Call, paused: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(
        "plinth.runtime.outer_surroundings.page_text", lambda url, *_, **__: read.append(url) or "a page"
    )
    run = resume(services, call, paused(FACT, PAGE), Decision.DENY, Decision.APPROVE)

    assert call(run_external_tool, run=run, turn=1, number=2)["done"]
    assert not call(run_external_tool, run=run, turn=1, number=2)["done"]

    assert read == ["https://docs.example.org/"]
    assert "may have been done" in told(services, run, 2)
    assert not call(run_tool, run=run, turn=1, number=1)["done"]
    assert "denied" in told(services, run, 1)
    assert facts(services) == []


def test_an_execution_that_was_replaced_makes_no_approved_call(
    services: ChainServices, call: Call, paused: Callable[..., Run]
) -> None:
    run = resume(services, call, paused(FACT), Decision.APPROVE)
    services.executions.hand_over(run, Continuation())

    with pytest.raises(RunSupersededError):
        call(run_tool, run=run, turn=1, number=1)

    assert facts(services) == []


def test_an_approval_is_too_old_five_minutes_after_its_time_to_decide(
    services: ChainServices, call: Call, paused: Callable[..., Run]
) -> None:
    run = resume(services, call, paused(FACT), Decision.APPROVE)
    services.time.advance(2 * APPROVAL_SECONDS)

    assert not call(run_tool, run=run, turn=1, number=1)["done"]
    assert facts(services) == []


def test_a_turn_that_only_reads_or_whose_prompt_is_the_callers_own_asks_nobody(
    services: ChainServices, call: Call, accept: Callable[..., Run]
) -> None:
    run = accept("Remember that I drink tea.", tools=("remember",))
    call(retrieve_context, run=run)
    call(build_prompt, run=run)
    services.model = FakeModel(([], asks_for(FACT)))

    assert not call(call_model, run=run, attempt=1)["asks_person"]
