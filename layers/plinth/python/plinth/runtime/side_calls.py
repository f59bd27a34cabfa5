"""How a model call is made that belongs to no turn: paid for like any, once, its reply checked, never streamed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from plinth.chain.catalogue import CatalogueModel
from plinth.chain.reply_checks import require_answer
from plinth.chain.routing import BREAKING
from plinth.contracts.models import ModelEnd, ModelRequest, Prompt, StopReason, StreamItem, TextChunk, TimeLimits
from plinth.contracts.money import Budget
from plinth.contracts.runs import ModelCost, Run
from plinth.errors import ModelBreakerOpenError, ModelError, ModelStreamCutError
from plinth.runtime.call_costs import bound_of, call_cost, failed_call_cost
from plinth.runtime.payments import reservation_of_call, set_aside
from plinth.wiring import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class SideCall:
    """What is asked, of whom, by which step. The ledger knows the call by run id, epoch, step and `attempt`, from 1.

    It is made once.
    """

    run: Run
    step: str
    chosen: CatalogueModel
    request: ModelRequest
    attempt: int = 1

    @property
    def bound_micro_usd(self) -> int:
        """The most that it can cost."""
        return bound_of(self.chosen, self.request.prompt, max_output_tokens=self.request.max_output_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class SideReply:
    """What came of it: the text and why it ended, or why there is none; and what it cost either way."""

    text: str
    cost: ModelCost
    stop_reason: StopReason | None = None
    failure: ModelError | None = None


def request_to(
    chosen: CatalogueModel, prompt: Prompt, *, max_output_tokens: int, limits: TimeLimits, keep_prompt: bool = False
) -> ModelRequest:
    """Return the request as the model's provider takes it; its prompt's prefix is kept where the model can."""
    return ModelRequest(
        model=chosen.provider_model,
        prompt=prompt,
        max_output_tokens=max_output_tokens,
        limits=limits,
        keep_prompt=keep_prompt and "prompt_cache" in chosen.capabilities,
    )


def ask(call: SideCall, budgets: Sequence[Budget], services: Services) -> SideReply:
    """Set the bound aside, make the call, settle its bill, tell the model's breaker how it went.

    Raises `BudgetExceededError` where a budget has less left, `ModelBreakerOpenError` where the model is not to be
    asked now; both cost nothing. A call that was started before, and whose end nobody told, is not made again: it fails
    at its bound, which says nothing of the model.
    """
    wanted = reservation_of_call(
        call.run, call.chosen.id, amount_micro_usd=call.bound_micro_usd, attempt=call.attempt, step=call.step
    )
    payment = set_aside(wanted, budgets, services)
    if not payment.start():
        return _failed(call, ModelStreamCutError("the call was started before, and its end was never told"))
    breaker = services.breakers.look(call.chosen.id)
    if breaker.open_until is not None:
        payment.settle(0)
        raise ModelBreakerOpenError("the model failed too often", breaker.open_until - services.clock.now())
    try:
        text, end = _reply(call, services)
        cost = call_cost(call.chosen, end.usage, bound_micro_usd=call.bound_micro_usd)
        made = SideReply(text=text, cost=replace(cost, step=call.step), stop_reason=end.stop_reason)
    except ModelError as error:
        made = _failed(call, error)
    payment.settle(made.cost.cost_micro_usd)
    if made.failure and made.failure.reason in BREAKING:
        services.breakers.failed(call.chosen.id)
    elif breaker.failing and not made.failure:
        services.breakers.succeeded(call.chosen.id)
    return made


def _reply(call: SideCall, services: Services) -> tuple[str, ModelEnd]:
    items: list[StreamItem] = list(services.language_model(call.chosen.provider).stream(call.request))
    text = "".join(each.text for each in items if isinstance(each, TextChunk))
    end = items[-1] if items else None
    if not isinstance(end, ModelEnd):
        raise ModelStreamCutError("the reply broke off")
    require_answer(text, end, call.request.prompt)
    return text, end


def _failed(call: SideCall, error: ModelError) -> SideReply:
    cost = failed_call_cost(call.chosen, error, bound_micro_usd=call.bound_micro_usd)
    return SideReply(text="", cost=replace(cost, step=call.step), failure=error)
