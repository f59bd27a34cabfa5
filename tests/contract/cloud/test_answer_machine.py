"""What the answer machine, as it lies in the repository, tells FailRun, its next execution, and where that begins."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plinth.contracts import ClaimRunOutput, SaveContinuationInput
from plinth.contracts.events import StepEnded
from plinth.contracts.executions import Continuation, ResumeAt
from plinth.contracts.runs import ModelCost, Run
from plinth.contracts.tenant import Tenant
from plinth.runtime.state_visits import visit_of
from tests.contract.cloud.conftest import ROLE, Cloud, unique
from tests.fakes.costs import model_cost

MACHINE = Path("statemachines/answer.asl.json")
RUN = Run(id="run_1", tenant=Tenant(id="acme"), epoch=1, deadline=1.0)
RESULTS: dict[str, dict[str, Any]] = {
    "ClaimRun": msgspec.to_builtins(ClaimRunOutput(claimed=True, run=RUN)),
    "RetrieveContext": {"corpus_version": 1, "doubtful": False},
    "RecallConversation": {"turns": 0, "digest": "", "last_model": "", "summary_due": False},
    "LookUpAnswer": {
        "found": False,
        "cache_key": "key",
        "saved_micro_usd": 0,
        "near_key": "near",
        "match": None,
        "saved_at": 0.0,
    },
}
GOOD = """
def handler(event, context):
    return {{"result": {result}, "step": {{"step": "{name}", "started_at": 1.0, "duration_ms": 1.0}}}}
"""
TELLS = 'def handler(event, context): return {"result": event, "step": {}}'
RAISES = "class KeyError(Exception): pass\ndef handler(event, context): raise KeyError('no')"
OVERRUNS = "import time\ndef handler(event, context): time.sleep(3)"


def executed(cloud: Cloud, faults: dict[str, str], **states: dict[str, Any]) -> dict[str, Any]:
    """Run the machine with these faulty steps and these states in place of its own; return how it ended."""
    definition = msgspec.json.decode(MACHINE.read_text())
    definition["States"].update(states)
    for branch in definition["States"]["GatherContext"]["Branches"]:
        for state in branch["States"].values():
            state.update({"TimeoutSeconds": 1} if state["Type"] == "Task" else {})
    sources = {name: GOOD.format(name=name, result=result) for name, result in RESULTS.items()}
    functions = {name: cloud.function(source) for name, source in {**sources, "FailRun": TELLS, **faults}.items()}
    text = msgspec.json.encode(definition).decode()
    text = re.sub(r"\$\{(\w+)Arn\}", lambda found: functions.get(found[1], functions["FailRun"]), text)
    client = cloud.client("stepfunctions")
    machine = client.create_state_machine(name=unique("answer"), definition=text, roleArn=ROLE, type="EXPRESS")
    return cloud.run(machine["stateMachineArn"], {"run": {"id": "run_1"}})


def ended(cloud: Cloud, faults: dict[str, str]) -> dict[str, Any]:
    """Run the machine with these faulty steps; return what FailRun was given."""
    succeeds = {"Type": "Succeed"}  # so that the execution has FailRun's output
    told: dict[str, Any] = executed(cloud, faults, RunFailed=succeeds)["output"]
    return told


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("cancelled", "SUCCEEDED"),
        ("budget_exceeded", "SUCCEEDED"),
        ("tool_turns_spent", "SUCCEEDED"),
        ("model_context_exceeded", "SUCCEEDED"),
        ("model_output_spent", "SUCCEEDED"),
        ("model_busy", "FAILED"),
        ("internal", "FAILED"),
    ],
)
def test_what_the_caller_did_fails_no_execution_and_so_calls_nobody(cloud: Cloud, reason: str, status: str) -> None:
    failed = GOOD.format(name="FailRun", result={"reason": reason})

    assert executed(cloud, {"ClaimRun": RAISES, "FailRun": failed})["status"] == status


@pytest.mark.parametrize(
    ("faults", "outcomes"),
    [
        ({"ClaimRun": RAISES}, {"ClaimRun": "KeyError"}),
        (
            {"RetrieveContext": RAISES},
            {"ClaimRun": "ok", "RetrieveContext": "KeyError", "RecallConversation": "ok"},
        ),
        (
            {"RetrieveContext": RAISES, "RecallConversation": OVERRUNS},
            {"ClaimRun": "ok", "RetrieveContext": "KeyError", "RecallConversation": "States.Timeout"},
        ),
        (
            {"LookUpAnswer": RAISES},
            {"ClaimRun": "ok", "RetrieveContext": "ok", "RecallConversation": "ok", "LookUpAnswer": "KeyError"},
        ),
    ],
)
def test_a_run_that_fails_hands_on_every_step_with_its_outcome(
    cloud: Cloud, faults: dict[str, str], outcomes: dict[str, str]
) -> None:
    told = ended(cloud, faults)

    steps = msgspec.convert(told["steps"], list[StepEnded])
    assert {step.step: step.outcome for step in steps} == outcomes
    assert told["error"] == next(outcome for outcome in outcomes.values() if outcome != "ok")
    for step in steps:
        if step.outcome == "States.Timeout":
            assert 900 < step.duration_ms < 3000


BUSY_TWICE = f"""
class StoreUnavailableError(Exception): pass
def handler(event, context):
    retry = event["state"]["RetryCount"]
    if retry < 2:
        raise StoreUnavailableError("away")
    return {{"result": {RESULTS["ClaimRun"]}, "step": {{"step": "ClaimRun", "started_at": 1.0, "duration_ms": 1.0,
        "retry": retry, "details": {{"entered": event["state"]["EnteredTime"]}}}}}}
"""


def test_each_try_of_a_step_is_told_how_many_came_before_it(cloud: Cloud) -> None:
    told = ended(cloud, {"ClaimRun": BUSY_TWICE, "LookUpAnswer": RAISES})

    claim, *_, failed = msgspec.convert(told["steps"], list[StepEnded])
    assert claim.retry == 2
    assert visit_of({"state": {"EnteredTime": claim.details["entered"]}}).entered_at is not None
    assert (failed.step, failed.retry) == ("LookUpAnswer", 0)


TOOLS = {
    "BuildPrompt": """
class KeyError(Exception): pass
def handler(event, context):
    if event["turn"] > 1: raise KeyError("enough")
    return {"result": {"hand_over": False}, "step": {"step": "BuildPrompt", "started_at": 1.0, "duration_ms": 1.0}}
""",
    "CallModel": """
def handler(event, context):
    told = {"outcome": "complete", "tool_calls": 3, "position": 0, "reason": "", "error": "", "calls": []}
    return {"result": {**told, "resumes_at": 0.0}, "step": {"step": "CallModel", "started_at": 1.0, "duration_ms": 1.0}}
""",
    "RunTool": """
def handler(event, context):
    step = {"step": "RunTool", "started_at": 1.0, "duration_ms": 1.0, "details": {"number": event["number"]}}
    return {"result": {"done": True, "outside": event["number"] > 1}, "step": step}
""",
    "RunExternalTool": """
class KeyError(Exception): pass
def handler(event, context):
    if event["number"] == 3: raise KeyError("no")
    step = {"step": "RunExternalTool", "started_at": 1.0, "duration_ms": 1.0, "details": {"number": event["number"]}}
    return {"result": {"done": True}, "step": step}
""",
}


def test_a_call_that_reaches_outside_goes_on_to_its_own_function_and_each_step_is_told(cloud: Cloud) -> None:
    told = ended(cloud, TOOLS)

    steps = msgspec.convert(told["steps"], list[StepEnded])
    made = [(step.step, step.details.get("number"), step.outcome) for step in steps if "Tool" in step.step]
    assert sorted(made, key=str) == [
        ("RunExternalTool", 2, "ok"),
        ("RunExternalTool", None, "KeyError"),
        ("RunTool", 1, "ok"),
        ("RunTool", 2, "ok"),
        ("RunTool", 3, "ok"),
    ]
    assert (steps[-1].step, told["error"]) == ("BuildPrompt", "KeyError")


HANDS_OVER = """
def handler(event, context):
    step = {"step": "BuildPrompt", "started_at": 1.0, "duration_ms": 1.0}
    return {"result": {"hand_over": True, "prompt_version": "1"}, "step": step}
"""
COST = model_cost()


@pytest.mark.guarantee_a
def test_what_an_execution_hands_over_is_all_that_it_carries_and_the_machine_that_goes_on(cloud: Cloud) -> None:
    told = ended(cloud, {"BuildPrompt": HANDS_OVER, "SaveContinuation": TELLS})

    given = msgspec.convert(told, SaveContinuationInput)
    assert ":stateMachine:answer-" in given.machine
    assert [step.step for step in given.continuation.steps][-1] == "BuildPrompt"
    carried = given.continuation
    assert (carried.resume_at, carried.turn, carried.attempt, carried.calls) == (ResumeAt.CALL_MODEL, 1, 1, ())
    assert (carried.cache_key, carried.near_key, carried.resumes_at) == ("key", "near", 0.0)


@pytest.mark.guarantee_a
@pytest.mark.parametrize("calls", [(), (COST,), (COST, COST)], ids=["none", "one", "two"])
def test_the_next_execution_begins_at_the_model_with_what_it_was_handed(
    cloud: Cloud, calls: tuple[ModelCost, ...]
) -> None:
    continuation = Continuation(
        resume_at=ResumeAt.CALL_MODEL, turn=3, attempt=2, position=1, after="tools", last_model="m", calls=calls
    )
    claimed = ClaimRunOutput(claimed=True, run=RUN, continuation=continuation)
    resumed = GOOD.format(name="ClaimRun", result=msgspec.to_builtins(claimed))
    asked = """
class Told(Exception): pass
def handler(event, context):
    raise type("Told_%s_%s_%s_%s" % (event["turn"], event["attempt"], event["position"], event["after"]), (Told,), {})
"""

    told = ended(cloud, {"ClaimRun": resumed, "CallModel": asked})

    assert told["error"] == "Told_3_2_1_tools"
    assert msgspec.convert(told["calls"], tuple[ModelCost, ...]) == calls
    assert [step["step"] for step in told["steps"]] == ["ClaimRun", "CallModel"]


ASKS_A_PERSON = TOOLS["CallModel"].replace('"tool_calls": 3', '"tool_calls": 3, "asks_person": True')


@pytest.mark.guarantee_h
def test_before_tools_that_a_person_must_approve_the_run_is_handed_over_with_them_next(cloud: Cloud) -> None:
    told = ended(cloud, {**TOOLS, "CallModel": ASKS_A_PERSON, "RunTool": RAISES, "SaveContinuation": TELLS})

    carried = msgspec.convert(told, SaveContinuationInput).continuation
    assert (carried.resume_at, carried.turn, carried.tool_calls) == (ResumeAt.RUN_TOOLS, 1, 3)
    assert [step.step for step in carried.steps][-1] == "CallModel"


@pytest.mark.guarantee_h
def test_after_a_persons_word_the_next_execution_begins_at_every_tool_of_the_turn(cloud: Cloud) -> None:
    continuation = Continuation(resume_at=ResumeAt.RUN_TOOLS, turn=1, tool_calls=3, because="approval")
    claimed = ClaimRunOutput(claimed=True, run=RUN, continuation=continuation)
    resumed = GOOD.format(name="ClaimRun", result=msgspec.to_builtins(claimed))

    told = ended(cloud, {**TOOLS, "ClaimRun": resumed, "CallModel": RAISES})

    steps = msgspec.convert(told["steps"], list[StepEnded])
    assert sorted(step.details["number"] for step in steps if step.step == "RunTool") == [1, 2, 3]
    assert (steps[-1].step, told["error"]) == ("BuildPrompt", "KeyError")


CACHED = GOOD.format(name="LookUpAnswer", result={**RESULTS["LookUpAnswer"], "found": True})


@pytest.mark.parametrize(("due", "last"), [(False, {"saved": True}), (True, {"Error": "KeyError"})])
def test_an_answered_execution_ends_well_whether_or_not_its_summary_fails(
    cloud: Cloud, *, due: bool, last: dict[str, Any]
) -> None:
    recalled = {**RESULTS["RecallConversation"], "summary_due": due}
    saved = GOOD.format(name="SaveAnswer", result={"saved": True})
    faults = {"LookUpAnswer": CACHED, "SaveAnswer": saved, "SummarizeTurns": RAISES}

    told = ended(cloud, {**faults, "RecallConversation": GOOD.format(name="RecallConversation", result=recalled)})

    assert last.items() <= told.items()
    assert "error" not in told
