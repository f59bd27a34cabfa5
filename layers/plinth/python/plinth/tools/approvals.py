"""Which tool calls a person must approve first, what an approval is bound to, and what a decision changes."""

import hashlib
import json
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace

from plinth.contracts.approvals import Approval, Decision, Ruling
from plinth.contracts.models import ToolCall
from plinth.contracts.strict_json import parse_strictly
from plinth.errors import ApprovalConflictError, ApprovalExpiredError, NotFoundError
from plinth.tools.tool import Effect, ToolFailedError
from plinth.tools.toolbox import TOOLS

APPROVAL_SECONDS = 300
"""How long a person has to decide, and how long after that the call may be made."""
MAX_PAUSES = 10
"""How often a run asks a person: it stays open for as long, and a model that asks for ever must not keep it so."""
_NOT_APPROVED = "This call needs a person's approval, which it does not have: not done."


def needs_approval(effect: Effect, *, tainted: bool) -> bool:
    """Say whether a person must agree: to any effect, once the model has read text that is not the caller's own.

    Whoever wrote such text (a passage, a tool's result, an earlier answer) may have asked for the call.
    """
    return tainted and effect is not Effect.READ


def call_name(turn: int, number: int) -> str:
    """Return the name of a call within its run. A model's own ids may come again, and may hold anything."""
    return f"{turn}-{number}"


def asked_of_person(
    calls: Sequence[ToolCall], before: Iterable[Approval], *, offered: Container[str], tainted: bool
) -> tuple[tuple[int, ToolCall], ...]:
    """Return the calls that a person must approve, by their numbers; none once the run has asked `MAX_PAUSES` times.

    A call that is never made needs nobody: of a tool that is gone or was not offered, or without a digest.
    """
    if len({approval.call.partition("-")[0] for approval in before}) >= MAX_PAUSES:
        return ()
    known = ((number, call, TOOLS.get(call.name)) for number, call in enumerate(calls, start=1))
    return tuple(
        (number, call)
        for number, call, tool in known
        if tool and call.name in offered and needs_approval(tool.effect, tainted=tainted) and _digest(call)
    )


def question_of(call: ToolCall, *, name: str, expires_at: float) -> Approval:
    """Return what a person is asked about the call, with its arguments as text that hides nothing."""
    return Approval(
        call=name,
        tool=call.name,
        arguments=_shown(call.arguments),
        arguments_sha256=call_digest(call),
        expires_at=expires_at,
    )


def open_approvals(approvals: Iterable[Approval]) -> tuple[Approval, ...]:
    """Return those that nobody has decided."""
    return tuple(approval for approval in approvals if approval.decision is None)


def decided(approvals: Sequence[Approval], made: Ruling, *, now: float) -> tuple[Approval, ...]:
    """Return the approvals with what a person says among them; the same ones where it is there already.

    `NotFoundError` for a call that was never asked about, `ApprovalConflictError` where other arguments were seen or
    the opposite was decided, `ApprovalExpiredError` once it is too late.
    """
    asked = next((each for each in approvals if each.call == made.call), None)
    if asked is None:
        raise NotFoundError(f"no call {made.call} of this run waits for approval: the run's approvals name them")
    if asked.arguments_sha256 != made.arguments_sha256:
        raise ApprovalConflictError(
            f"arguments_sha256: call {made.call} has other arguments: read the run again, and decide on those"
        )
    if asked.decision is made.decision:
        return tuple(approvals)
    if asked.decision is Decision.EXPIRE or (asked.decision is None and now >= asked.expires_at):
        raise ApprovalExpiredError(f"the time to decide about call {made.call} is over: ask the question again")
    if asked.decision is not None:
        raise ApprovalConflictError(f"call {made.call} was decided before: {asked.decision}; that can't be changed")
    new = replace(asked, decision=made.decision, decided_at=now, user=made.user, key_id=made.key_id)
    return tuple(new if each is asked else each for each in approvals)


def undecided_as(
    approvals: Iterable[Approval], decision: Decision, *, now: float, user: str = "", key_id: str = ""
) -> tuple[Approval, ...]:
    """Return the approvals with one decision for all that nobody has decided."""
    return tuple(
        each if each.decision else replace(each, decision=decision, decided_at=now, user=user, key_id=key_id)
        for each in approvals
    )


def why_not(approvals: Iterable[Approval], call: ToolCall, *, name: str, now: float) -> str | None:
    """Return why the call may not be made, in words for the model, or None: a person has approved this very call."""
    approval = next((each for each in approvals if each.call == name), None)
    if approval is None or approval.arguments_sha256 != _digest(call):
        return _NOT_APPROVED
    match approval.decision:
        case Decision.APPROVE if now < approval.expires_at + APPROVAL_SECONDS:
            return None
        case Decision.DENY:
            return "A person has denied this call: not done."
        case Decision.EXPIRE:
            return "Nobody has approved this call in time: not done."
        case _:
            return _NOT_APPROVED


def call_digest(call: ToolCall) -> str:
    """Return the SHA-256 (hex) of the tool's name and its arguments: the same for the same values, however written.

    `ToolFailedError` for arguments that are no strict JSON: a name that stands twice could be read in two ways.
    """
    try:
        canonical = json.dumps(
            [call.name, parse_strictly(call.arguments)], sort_keys=True, separators=(",", ":"), allow_nan=False
        )
    except (ValueError, RecursionError) as error:
        raise ToolFailedError("the arguments are no strict JSON") from error
    return hashlib.sha256(canonical.encode()).hexdigest()


def _digest(call: ToolCall) -> str | None:
    try:
        return call_digest(call)
    except ToolFailedError:
        return None


def _shown(arguments: str) -> str:
    """Return strict JSON as text of one meaning: what a reader can't see, or that steers a screen, is written out."""
    text = json.dumps(parse_strictly(arguments), ensure_ascii=False, indent=1, sort_keys=True)
    return "".join(each if each.isprintable() or each == "\n" else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]
