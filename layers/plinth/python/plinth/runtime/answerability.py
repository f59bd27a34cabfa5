"""How it is asked whether the passages hold an answer: one small model call, paid like any, and never in the way.

Whatever goes wrong with it (a busy model, a spent budget, a reply that is no verdict) lets the run go on to its answer:
the call that makes it has its own retries and its own end.
"""

from contextlib import suppress

import msgspec

from plinth.chain.answerability import VERDICT_TOKENS, check_prompt, checkers, declined, says_no
from plinth.chain.catalogue import CatalogueModel
from plinth.chain.executions import ENDING_SECONDS
from plinth.chain.reply_checks import require_answer
from plinth.contracts.answering import CheckAnswerableInput, CheckAnswerableOutput
from plinth.contracts.memory import StoredPassage
from plinth.contracts.models import ModelEnd, ModelRequest, Prompt, StreamItem, TextChunk, TimeLimits, Usage
from plinth.contracts.money import Reservation
from plinth.contracts.runs import ModelCost, Run, RunRequest
from plinth.errors import BudgetExceededError, ModelError, ModelStreamCutError, TransientError
from plinth.money.budgets import budgets_of
from plinth.money.prices import price_of
from plinth.runtime.call_costs import bound_of, call_cost
from plinth.runtime.payments import set_aside
from plinth.wiring import Services

CHECK_SECONDS = 45.0  # below CheckAnswerable's own timeout
_ATTEMPT = 0  # the answer's calls count from 1
_NOTHING = Usage(input_tokens=0, output_tokens=0)


def check(request: CheckAnswerableInput, services: Services) -> CheckAnswerableOutput:
    """Return whether to go on to the answer; if not, the run's answer is there and says that there is none."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    passages = services.runs.get_content(run, "passages", tuple[StoredPassage, ...])
    if not passages:
        services.runs.put_content(run, "answer", declined(""))
        return CheckAnswerableOutput(answerable=False)
    able = [each for each in checkers(asked) if services.breakers.look(each.id).open_until is None]
    chosen = min(able, key=lambda each: each.id != request.last_model, default=None)
    if chosen is None:
        return CheckAnswerableOutput(answerable=True)
    missing = services.runs.get_content(run, "unmentioned", tuple[str, ...])
    prompt = check_prompt(asked.question, passages, missing=missing)
    refused, calls = _verdict(run, asked, chosen, prompt, services)
    if refused:
        services.runs.put_content(run, "answer", declined(chosen.id))
    return CheckAnswerableOutput(answerable=not refused, calls=calls)


def _verdict(
    run: Run, asked: RunRequest, chosen: CatalogueModel, prompt: Prompt, services: Services
) -> tuple[bool, tuple[ModelCost, ...]]:
    """Return whether the model says no, and what asking cost."""
    bound = bound_of(chosen, prompt, max_output_tokens=VERDICT_TOKENS)
    price = msgspec.json.encode(price_of(chosen.id)).decode()
    wanted = Reservation(run=run, attempt=_ATTEMPT, amount_micro_usd=bound, model=chosen.id, price=price)
    try:
        payment = set_aside(wanted, budgets_of(run.tenant, asked), services)
    except BudgetExceededError:
        return False, ()
    if not payment.start():
        error: ModelError = ModelStreamCutError("the call was started before, and its end was never told")
        return False, (_failed(chosen, error, bound),)
    try:
        text, usage = _reply(run, chosen, prompt, services)
    except ModelError as failure:
        cost = _failed(chosen, failure, bound)
        payment.settle(cost.cost_micro_usd)
        return False, (cost,)
    cost = call_cost(chosen, usage, bound_micro_usd=bound)
    payment.settle(cost.cost_micro_usd)
    return says_no(text), (cost,)


def _reply(run: Run, chosen: CatalogueModel, prompt: Prompt, services: Services) -> tuple[str, Usage]:
    items: list[StreamItem] = list(
        services.language_model(chosen.provider).stream(_request(run, chosen, prompt, services))
    )
    text = "".join(each.text for each in items if isinstance(each, TextChunk))
    end = items[-1] if items else None
    if not isinstance(end, ModelEnd):
        raise ModelStreamCutError("the verdict broke off")
    require_answer(text, end, prompt)
    return text, end.usage


def _request(run: Run, chosen: CatalogueModel, prompt: Prompt, services: Services) -> ModelRequest:
    left = run.deadline - services.clock.now() - ENDING_SECONDS

    def unwanted() -> bool:
        with suppress(TransientError):
            return services.runs.get(run.tenant, run.id).unwanted
        return False

    limits = TimeLimits(
        total_seconds=min(CHECK_SECONDS, left),
        first_seconds=chosen.first_seconds,
        stall_seconds=chosen.stall_seconds,
        cancelled=unwanted,
    )
    return ModelRequest(model=chosen.provider_model, prompt=prompt, max_output_tokens=VERDICT_TOKENS, limits=limits)


def _failed(chosen: CatalogueModel, error: ModelError, bound: int) -> ModelCost:
    usage, estimated = error.usage or _NOTHING, error.begun and error.usage is None
    return call_cost(chosen, usage, bound_micro_usd=bound, outcome=error.reason, estimated=estimated)
