"""How a run waits for a person: what it asks, what a decision changes, and what becomes of it where nobody decides."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from plinth.chain.executions import run_of
from plinth.chain.tool_turns import MAX_CALLS
from plinth.contracts.approvals import Approval, Decision, Ruling
from plinth.contracts.events import ApprovalDecided, ApprovalNeeded, Event, StepEnded
from plinth.contracts.executions import Continuation
from plinth.contracts.models import Prompt, Reply
from plinth.contracts.runs import Run, RunRecord, RunStatus
from plinth.contracts.tenant import Tenant
from plinth.errors import ApprovalConflictError, StoreUnavailableError, TransientError
from plinth.money.platform import ASKING_UNITS
from plinth.runtime.step_events import unlogged
from plinth.runtime.steps import ended_so_far
from plinth.runtime.turns import asking_reply_name, prompt_name
from plinth.tools.approvals import (
    APPROVAL_SECONDS,
    asked_of_person,
    call_name,
    decided,
    open_approvals,
    question_of,
    undecided_as,
)
from plinth.wiring import Services

_ROUNDS = 20  # a reply asks for at most 16 calls, and each lost round is another decision


def ask_person(run: Run, continuation: Continuation, services: Services) -> Run | None:
    """Pause the run before the tools of its turn, with the place that it has; its log says what a person must decide.

    None where nobody needs to: another version of the code may have known a tool that this one does not.
    """
    record = services.runs.get(run.tenant, run.id)
    reply = services.runs.get_content(run, "reply", Reply)
    services.runs.put_content(run, asking_reply_name(continuation.turn), reply)
    tainted = services.runs.get_content(run, prompt_name(continuation.turn), Prompt).tainted
    expires_at = float(int(services.clock.now()) + APPROVAL_SECONDS)
    calls = asked_of_person(
        reply.tool_calls[:MAX_CALLS], record.approvals, offered=record.request.tools, tainted=tainted
    )
    asked = [
        question_of(call, name=call_name(continuation.turn, number), expires_at=expires_at) for number, call in calls
    ]
    if not asked:
        return None
    earlier = [replace(each, arguments="") for each in record.approvals]
    steps = unlogged(continuation.steps, services.run_log.read(run.tenant, run.id, after=0))
    kept = replace(continuation, steps=(ended_so_far(writing=ASKING_UNITS),), because="approval")
    following = services.approvals.ask(run, [*earlier, *asked], kept, [*steps, *map(_needed, asked)])
    services.limits.prolong(following)
    return following


def decide(record: RunRecord, tenant: Tenant, made: Ruling, services: Services, step: StepEnded) -> Approval:
    """Return the approval as a person has decided it; the last decision of a run starts its next execution.

    It is logged with the decision and the step that took it. Raises what `decided` raises.
    """

    def change(stands: RunRecord) -> tuple[Approval, ...]:
        after = decided(stands.approvals, made, now=services.clock.now())
        if after != stands.approvals and stands.status is not RunStatus.AWAITING_APPROVAL:
            raise ApprovalConflictError(f"the run waits for nobody any more: it is {stands.status}")
        return after

    after = _settle(record, tenant, change, services, steps=[step])
    return next(each for each in after if each.call == made.call)


def withdraw(record: RunRecord, tenant: Tenant, services: Services, *, user: str, key_id: str) -> None:
    """Let a cancelled run wait no longer: its next execution ends it."""

    def change(stands: RunRecord) -> tuple[Approval, ...]:
        now = services.clock.now()
        return undecided_as(stands.approvals, Decision.CANCEL, now=now, user=user, key_id=key_id)

    _settle(record, tenant, change, services)


def expire(run: Run, services: Services) -> None:
    """Let a run go on without what nobody approved in time."""
    record, now = services.runs.get(run.tenant, run.id), services.clock.now()
    if any(now < each.expires_at for each in open_approvals(record.approvals)):
        services.executions.look_again(run, at=max(each.expires_at for each in open_approvals(record.approvals)))
        return
    _settle(record, run.tenant, lambda stands: undecided_as(stands.approvals, Decision.EXPIRE, now=now), services)


def _settle(
    record: RunRecord,
    tenant: Tenant,
    change: Callable[[RunRecord], tuple[Approval, ...]],
    services: Services,
    steps: Sequence[StepEnded] = (),
) -> tuple[Approval, ...]:
    """Return the approvals after the change, made once to whatever others have decided meanwhile."""
    for _ in range(_ROUNDS):
        after = change(record)
        if after == record.approvals or record.status is not RunStatus.AWAITING_APPROVAL:
            return record.approvals
        new = [each for each, before in zip(after, record.approvals, strict=True) if each is not before]
        events = [*steps, *map(_decision, new)]
        following = services.approvals.decide(run_of(record, tenant), record.approvals, after, events)
        if following is not None:
            if not open_approvals(after):
                with suppress(TransientError):  # the sweep makes a start that is lost
                    services.machines.start_answer(following)
            return after
        record = services.runs.get(tenant, record.id)
    raise StoreUnavailableError("others kept deciding about the same run: try again later")


def _needed(asked: Approval) -> Event:
    return ApprovalNeeded(
        call=asked.call,
        tool=asked.tool,
        arguments=asked.arguments,
        arguments_sha256=asked.arguments_sha256,
        expires_at=asked.expires_at,
    )


def _decision(made: Approval) -> Event:
    return ApprovalDecided(
        call=made.call,
        tool=made.tool,
        arguments_sha256=made.arguments_sha256,
        decision=made.decision or Decision.EXPIRE,
        user=made.user,
        key_id=made.key_id,
    )
