"""What a run's log adds up to as a waterfall: steps, the tries before them, work and waiting."""

from plinth.contracts.approvals import Decision
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
from plinth.contracts.platform import Spent
from plinth.contracts.runs import RunRecord, RunRequest, RunStatus
from plinth.contracts.traces import Trace
from plinth.tracing.waterfall import STILL_TRIED, trace_of

START = 1_800_000_000.0
RECORD = RunRecord(
    id="run_1",
    status=RunStatus.RUNNING,
    epoch=1,
    created_at=START,
    deadline=START + 270,
    expires_at=int(START) + 86_400,
    request=RunRequest(question="?", model="m", user="ann"),
)
SPENT = Spent(memory_mb=256)


def trace(*events: Event) -> Trace:
    logged = [LoggedEvent(seq=seq, epoch=1, at=START + seq, event=each) for seq, each in enumerate(events, start=1)]
    return trace_of(RECORD, logged, provider_of={"m": "anthropic"})


def tried(step: str, entered: float, start: float, **rest: object) -> StepTried:
    outcome = rest.pop("outcome", "StoreUnavailableError")
    return StepTried(
        step=step, entered_at=START + entered, started_at=START + start, duration_ms=100.0, outcome=outcome, **rest
    )


def ended(step: str, entered: float, start: float, **rest: object) -> StepEnded:
    return StepEnded(
        step=step, entered_at=START + entered, started_at=START + start, duration_ms=100.0, spent=SPENT, **rest
    )


def test_a_step_has_the_tries_of_its_state_before_it_and_waiting_is_what_none_of_them_worked() -> None:
    (step,) = trace(
        tried("RetrieveContext", 0.0, 0.0),
        tried("RetrieveContext", 0.0, 1.0, retry=1, outcome="MemoryUnavailableError"),
        ended("RetrieveContext", 0.0, 3.0, retry=2),
    ).steps

    assert [(each.retry, each.start_ms, each.outcome) for each in step.tries] == [
        (0, 0.0, "StoreUnavailableError"),
        (1, 1000.0, "MemoryUnavailableError"),
    ]
    assert (step.retries, step.start_ms, step.outcome, step.wait_ms) == (2, 3000.0, "ok", 2800.0)


def test_a_try_that_left_no_word_is_counted_all_the_same() -> None:
    (step,) = trace(ended("BuildPrompt", 0.0, 2.0, retry=1)).steps

    assert (step.retries, step.tries, step.wait_ms) == (1, [], 2000.0)


def test_tries_of_two_visits_of_one_state_do_not_mix() -> None:
    first, second = trace(
        tried("BuildPrompt", 0.0, 0.0),
        ended("BuildPrompt", 0.0, 1.0, retry=1),
        ended("BuildPrompt", 2.0, 2.0),
    ).steps

    assert (len(first.tries), len(second.tries)) == (1, 0)


def test_tries_of_tools_that_run_side_by_side_go_to_their_own() -> None:
    first, second = trace(
        tried("RunTool", 0.0, 0.0, details={"number": 2}),
        ended("RunTool", 0.0, 0.1, details={"number": 1}),
        ended("RunTool", 0.0, 1.0, details={"number": 2}, retry=1),
    ).steps

    assert (len(first.tries), len(second.tries)) == (0, 1)


def test_a_step_that_failed_for_good_spans_its_state_and_shows_every_try() -> None:
    caught = StepEnded(step="ClaimRun", started_at=START, duration_ms=1200.0, outcome="StoreUnavailableError", retry=1)
    told = trace(tried("ClaimRun", 0.0, 0.0), tried("ClaimRun", 0.0, 1.1, retry=1), caught)

    (step,) = told.steps
    assert (len(step.tries), step.duration_ms, step.wait_ms) == (2, 1200.0, 1000.0)
    assert (told.work_ms, told.wait_ms) == (200.0, 1000.0)


def test_a_step_that_is_still_tried_is_shown_with_its_tries() -> None:
    (step,) = trace(tried("ClaimRun", 0.0, 0.0), tried("ClaimRun", 0.0, 1.0, retry=1)).steps

    assert (step.outcome, step.retries, step.duration_ms, step.wait_ms) == (STILL_TRIED, 2, 1100.0, 900.0)


def test_a_trace_names_the_execution_that_claimed_the_run() -> None:
    claim = ended("ClaimRun", 0.0, 0.1, details={"owner": "arn:aws:states:express:1", "claimed": True})
    lost = ended("ClaimRun", 0.0, 0.2, details={"owner": "arn:aws:states:express:2", "claimed": False})

    told = trace(claim, lost)

    assert [(each.epoch, each.execution) for each in told.executions] == [(1, "arn:aws:states:express:1")]


def test_text_and_resets_are_told_from_the_first_step() -> None:
    text, reset = TextDelta(text="a", attempt=1, offset=0), Reset(attempt=2, reason="model_silent")

    told = trace(ended("CallModel", 0.0, 0.5), text, reset)

    assert told.first_text_ms == 1500.0
    assert [(each.at_ms, each.reason) for each in told.resets] == [(2500.0, "model_silent")]


def test_a_trace_says_what_a_person_was_asked_and_who_decided_what_and_when() -> None:
    asked = [
        ApprovalNeeded(call=call, tool="remember", arguments="{}", arguments_sha256=f"{call}-hash", expires_at=1.0)
        for call in ("1-1", "1-2")
    ]
    made = ApprovalDecided(
        call="1-1", tool="remember", arguments_sha256="1-1-hash", decision=Decision.DENY, user="ann", key_id="k1"
    )

    first, second = trace(ended("CallModel", 0.0, 0.0), *asked, made).approvals

    assert (first.call, first.arguments_sha256, first.asked_ms, first.decided_ms) == ("1-1", "1-1-hash", 2000, 4000)
    assert (first.decision, first.user, first.key_id) == (Decision.DENY, "ann", "k1")
    assert (second.call, second.asked_ms, second.decided_ms, second.decision) == ("1-2", 3000, None, None)
