"""How a turn's model call is made: the route's next healthy model, priced before, streamed, checked, costed after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from plinth.chain.catalogue import CatalogueModel, RouteStep, model
from plinth.chain.executions import call_seconds, hands_over, waiting_seconds
from plinth.chain.links import LinkFilter
from plinth.chain.markers import MarkerFilter
from plinth.chain.reply_checks import require_answer
from plinth.chain.routing import BREAKING, MAX_ATTEMPTS, after_failure, in_order, route_of
from plinth.chain.text_filters import filtered
from plinth.chain.tool_turns import MAX_CALLS
from plinth.contracts.answering import CallModelInput, CallModelOutput, CallOutcome
from plinth.contracts.approvals import Approval
from plinth.contracts.events import LoggedEvent
from plinth.contracts.memory import StoredPassage
from plinth.contracts.models import Breaker, ModelRequest, Prompt, Reply, StopReason, StreamItem, TimeLimits, Usage
from plinth.contracts.money import Reservation
from plinth.contracts.runs import ModelCost, RunRecord, RunRequest
from plinth.errors import (
    BudgetExceededError,
    ModelBreakerOpenError,
    ModelCancelledError,
    ModelError,
    ModelStreamCutError,
    ModelUnavailableError,
    ToolTurnsSpentError,
    TransientError,
)
from plinth.money.budgets import budgets_of
from plinth.runtime.call_costs import bound_of, call_cost, failed_call_cost
from plinth.runtime.leases import Lease, require_own
from plinth.runtime.payments import reservation_of_call, set_aside
from plinth.runtime.step_events import unlogged
from plinth.runtime.streaming import TextStream, next_attempt
from plinth.runtime.turns import numbered_passages, prompt_name
from plinth.tools.approvals import asked_of_person
from plinth.wiring import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """What every call of the turn has in common; the `passages` that its prompt numbers, where markers are checked."""

    request: CallModelInput
    asked: RunRequest
    prompt: Prompt
    passages: tuple[StoredPassage, ...]
    services: Services
    lease: Lease
    approvals: tuple[Approval, ...] = ()

    @property
    def seconds(self) -> float:
        """How long a call may take."""
        return call_seconds(self.request.run, now=self.services.clock.now())


def call_route(request: CallModelInput, services: Services) -> CallModelOutput:
    """Make one model call and keep its reply with the run, or return what follows its failure.

    Only a store that fails before the model is asked raises: a machine that repeated the step after that would pay
    for a second call; and so does a fourth call, which only a machine of an older form asks for. An execution that
    another one replaced asks nothing: `RunSupersededError`.
    """
    if request.attempt > MAX_ATTEMPTS:
        raise ModelUnavailableError("the turn has had its calls")
    record = services.runs.get(request.run.tenant, request.run.id)
    require_own(request.run, record)
    turn, asked = _turn_of(request, record, services), record.request
    steps = in_order(route_of(asked), last_model=request.last_model)
    early = _without_a_call(turn, steps, unwanted=record.unwanted)
    if early is not None:
        return early
    position, breaker = _first_healthy(steps, request.position, services)
    if breaker.open_until is not None:
        error = ModelBreakerOpenError("the model failed too often", breaker.open_until - services.clock.now())
        return _after(error, turn, steps, position=position, calls=())
    try:
        made = _paid_call(turn, model(steps[position].model), breaker)
    except BudgetExceededError:
        return _refused(BudgetExceededError, position)
    if made.failure is not None:
        return _after(made.failure, turn, steps, position=position, calls=(made.cost,))
    if made.tool_calls and request.turn >= asked.max_turns:
        return _refused(ToolTurnsSpentError, position, made.cost)
    return CallModelOutput(
        outcome=CallOutcome.COMPLETE,
        position=position,
        calls=(made.cost,),
        tool_calls=made.tool_calls,
        asks_person=made.asks_person,
    )


def _turn_of(request: CallModelInput, record: RunRecord, services: Services) -> _Turn:
    asked, run = record.request, request.run
    checked = any(each.checks_citations for each in route_of(asked).models)
    return _Turn(
        request=request,
        asked=asked,
        prompt=services.runs.get_content(run, prompt_name(request.turn), Prompt),
        passages=numbered_passages(run, services, turn=request.turn) if checked else (),
        services=services,
        lease=Lease(run, services),
        approvals=record.approvals,
    )


def _refused(why: type[BudgetExceededError | ToolTurnsSpentError], position: int, *calls: ModelCost) -> CallModelOutput:
    return CallModelOutput(
        outcome=CallOutcome.FAILED, position=position, calls=calls, error=why.__name__, reason=why.code
    )


def _without_a_call(turn: _Turn, steps: Sequence[RouteStep], *, unwanted: bool) -> CallModelOutput | None:
    """Return what follows where no call may be made, or not yet, or None.

    The machine comes by every 2 s while it waits, so that a run that is cancelled meanwhile ends.
    """
    request = turn.request
    if unwanted or turn.seconds <= 0:
        late = ModelUnavailableError("no time was left for the call")
        over = ModelCancelledError("nobody wants the answer any more") if unwanted else late
        return _after(over, turn, steps, position=request.position, calls=())
    wait_seconds = request.resumes_at - turn.services.clock.now()
    if wait_seconds <= 0:
        return None
    return CallModelOutput(
        outcome=CallOutcome.WAITING,
        wait_seconds=wait_seconds,
        resumes_at=request.resumes_at,
        position=request.position,
        reason=request.after,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A call that was made: what it cost, how many tools it asks for (of a person first?), why it failed if it did."""

    cost: ModelCost
    tool_calls: int = 0
    asks_person: bool = False
    failure: ModelError | None = None


def _first_healthy(steps: Sequence[RouteStep], start: int, services: Services) -> tuple[int, Breaker]:
    """Return the first position from `start` on whose breaker is closed, or one that must be waited for, and it."""
    for position in range(start, len(steps)):
        breaker = services.breakers.look(steps[position].model)
        may_move_on = position + 1 < len(steps) and "breaker_open" in steps[position].move_on
        if breaker.open_until is None or not may_move_on:
            return position, breaker
    raise IndexError(f"the route has no model number {start}")


def _speaks_of_the_model(error: ModelError) -> bool:
    """Return whether the failure says that the model is ill: a store of ours that failed says nothing of it."""
    return error.reason in BREAKING and not isinstance(error.__cause__, TransientError)


def _paid_call(turn: _Turn, chosen: CatalogueModel, breaker: Breaker) -> _Made:
    """Set the call's bound aside, make the call, settle its bill.

    The log is read first: a read that failed after the start would charge the bound for a call that was never made.
    """
    run, services = turn.request.run, turn.services
    logged = services.run_log.read(run.tenant, run.id, after=0)
    payment = set_aside(_reservation(turn, chosen), budgets_of(run.tenant, turn.asked), services)
    if not payment.start():
        lost = ModelStreamCutError("the call was started before, and its end was never told")
        return _Made(cost=_failed_cost(turn, chosen, lost), failure=lost)
    try:
        reply = _call(turn, chosen, logged)
    except ModelError as error:
        cost = _failed_cost(turn, chosen, error)
        payment.settle(cost.cost_micro_usd)
        if _speaks_of_the_model(error):
            services.breakers.failed(chosen.id)
        return _Made(cost=cost, failure=error)
    payment.settle(reply.cost.cost_micro_usd)
    if breaker.failing:
        services.breakers.succeeded(chosen.id)
    calls = reply.tool_calls[:MAX_CALLS]
    asked = asked_of_person(calls, turn.approvals, offered=turn.asked.tools, tainted=turn.prompt.tainted)
    return _Made(cost=reply.cost, tool_calls=len(calls), asks_person=bool(asked))


def _call(turn: _Turn, chosen: CatalogueModel, logged: Sequence[LoggedEvent]) -> Reply:
    """Stream the reply into the log, check it and keep it with the run."""
    run, services = turn.request.run, turn.services
    attempt = next_attempt(logged)
    stream = TextStream(
        run=run, attempt=attempt, because=turn.request.after, log=services.run_log, clock=services.clock
    )
    usage: Usage | None = None
    try:
        text, end = stream.copy(_said(turn, chosen), unlogged(turn.request.steps, logged))
        usage = end.usage
        require_answer(text, end, turn.prompt)
        cost = call_cost(chosen, end.usage, bound_micro_usd=_bound(turn, chosen))
        calls = end.tool_calls if end.stop_reason is StopReason.TOOL_USE else ()  # others may have been cut
        reply = Reply(text=text, stop_reason=end.stop_reason, cost=cost, attempt=attempt, tool_calls=calls)
        services.runs.put_content(run, "reply", reply)
    except TransientError as error:
        raise ModelStreamCutError("the answer could not be kept", usage=usage) from error
    return reply


def _said(turn: _Turn, chosen: CatalogueModel) -> Iterator[StreamItem]:
    """Yield what the model says as it may be shown."""
    items = turn.services.language_model(chosen.provider).stream(_model_request(turn, chosen))
    if chosen.checks_citations:
        items = filtered(items, MarkerFilter(turn.passages))
    return filtered(items, LinkFilter(turn.asked.link_hosts))


def _model_request(turn: _Turn, chosen: CatalogueModel) -> ModelRequest:
    return ModelRequest(
        model=chosen.provider_model,
        prompt=turn.prompt,
        max_output_tokens=_max_output_tokens(turn, chosen),
        limits=TimeLimits(
            total_seconds=turn.seconds,
            first_seconds=chosen.first_seconds,
            stall_seconds=chosen.stall_seconds,
            cancelled=turn.lease.over,
        ),
        keep_prompt=turn.asked.conversation_id is not None and "prompt_cache" in chosen.capabilities,
    )


def _max_output_tokens(turn: _Turn, chosen: CatalogueModel) -> int:
    return min(turn.asked.max_output_tokens, chosen.max_output_tokens)


def _reservation(turn: _Turn, chosen: CatalogueModel) -> Reservation:
    attempt = (turn.request.turn - 1) * MAX_ATTEMPTS + turn.request.attempt
    return reservation_of_call(turn.request.run, chosen.id, amount_micro_usd=_bound(turn, chosen), attempt=attempt)


def _failed_cost(turn: _Turn, chosen: CatalogueModel, error: ModelError) -> ModelCost:
    return failed_call_cost(chosen, error, bound_micro_usd=_bound(turn, chosen))


def _bound(turn: _Turn, chosen: CatalogueModel) -> int:
    return bound_of(chosen, turn.prompt, max_output_tokens=_max_output_tokens(turn, chosen))


def _after(
    error: ModelError, turn: _Turn, steps: Sequence[RouteStep], *, position: int, calls: tuple[ModelCost, ...]
) -> CallModelOutput:
    run, now = turn.request.run, turn.services.clock.now()
    left = waiting_seconds(run, now=now)
    following = after_failure(error, steps, position=position, attempt=turn.request.attempt, seconds_left=left)
    wait_seconds = following.wait_seconds if following else 0.0
    turn.lease.outlast(wait_seconds)
    return CallModelOutput(
        outcome=CallOutcome.RETRY if following else CallOutcome.FAILED,
        hand_over=following is not None and hands_over(run, now=now, wait_seconds=wait_seconds),
        wait_seconds=wait_seconds,
        resumes_at=now + wait_seconds if wait_seconds else 0.0,
        position=following.position if following else position,
        calls=calls,
        error=type(error).__name__,
        reason=error.reason,
    )
