"""How a window of contexts is written: paid for like any model call, kept for every later try, and never in the way."""

import math
from collections.abc import Sequence
from dataclasses import replace

from plinth.chain.catalogue import model
from plinth.chain.context_prices import TRIES
from plinth.chain.contexts import context_prompt, output_tokens, read_contexts
from plinth.contracts.context_orders import ContextOrder
from plinth.contracts.contexts import (
    WriteContextsInput,
    WriteContextsOutput,
    WrittenWindow,
)
from plinth.contracts.memory import DocumentVersion
from plinth.contracts.models import TimeLimits
from plinth.contracts.money import Budget
from plinth.contracts.runs import ModelCost
from plinth.errors import (
    BudgetExceededError,
    ContextsLostError,
    ModelBreakerOpenError,
    ModelBusyError,
    ModelError,
    ModelUnavailableError,
    StoreUnavailableError,
)
from plinth.money.budgets import limited_budgets
from plinth.runtime.context_work import Window, plan_of, split_passages
from plinth.runtime.side_calls import SideCall, ask, request_to
from plinth.wiring import Services

CALL_SECONDS = 110.0  # two calls fit below WriteContexts' own timeout
WAITING_SECONDS = 1_800
"""How long after the execution's start a busy model is waited for; then the windows that meet it stay without."""
WRITING_SECONDS = 5_400
"""After this nothing more is asked: what is left of the machine's time is for embedding and publishing."""
LEAST_WAIT_SECONDS = 10
_LONGEST_WAIT_SECONDS = 120
_STEP = "WriteContexts"


def write(request: WriteContextsInput, services: Services) -> WriteContextsOutput:
    """Write one window's contexts, unless that was done, and count what they cost, once."""
    document = request.document
    planned, passages = plan_of(document, services), split_passages(document, services)
    window = Window(document, planned, request.window, passages)
    payer, written = _payer(document, planned.order, services), window.kept(services)
    if written is None:
        waited = services.clock.now() - request.started_at
        if waited > WRITING_SECONDS:
            return WriteContextsOutput()
        try:
            written = _written(window, payer, request.round, services)
        except BudgetExceededError:
            return WriteContextsOutput(over_budget=True)
        except (ModelBusyError, ModelUnavailableError) as error:
            return WriteContextsOutput(busy=waited < WAITING_SECONDS, wait_seconds=_wait_seconds(error))
        try:
            window.keep(written, services)
        except StoreUnavailableError as error:  # no name that the machine repeats: a repeat would pay again
            raise ContextsLostError("a window's contexts were written and could not be kept") from error
    paid = replace(window.run(services), id=written.paid_as)
    services.usage.count_calls(paid, payer, written.calls, at=services.clock.now())
    return WriteContextsOutput(cost_micro_usd=sum(each.cost_micro_usd for each in written.calls))


def _written(window: Window, payer: str, epoch: int, services: Services) -> WrittenWindow:
    """Ask once, and once more where the reply was none; raise where it takes no calls now, which bills nothing."""
    chosen = model(window.plan.model)
    budgets, calls = _budgets(window, payer, services), list[ModelCost]()
    limits = TimeLimits(
        total_seconds=CALL_SECONDS, first_seconds=chosen.first_seconds, stall_seconds=chosen.stall_seconds
    )
    prompt = context_prompt(window.plan.title, window.plan.beginning, window.passages)
    longest = output_tokens(len(window.passages), limit=chosen.max_output_tokens)
    request = request_to(chosen, prompt, max_output_tokens=longest, limits=limits, keep_prompt=True)
    for attempt in range(1, TRIES + 1):
        call = SideCall(run=window.run(services, epoch), step=_STEP, attempt=attempt, chosen=chosen, request=request)
        try:
            reply = ask(call, budgets, services)
        except (BudgetExceededError, ModelBreakerOpenError, StoreUnavailableError):
            if not calls:
                raise
            break  # the first call is paid
        if isinstance(reply.failure, (ModelBusyError, ModelUnavailableError)) and not calls:
            raise reply.failure
        calls.append(reply.cost)
        contexts = None if reply.failure else read_contexts(reply.text, len(window.passages))
        if contexts:
            by_key = dict(zip(window.keys, contexts, strict=True))
            return WrittenWindow(contexts=by_key, calls=tuple(calls), paid_as=call.run.id)
    return WrittenWindow(contexts={}, calls=tuple(calls), paid_as=window.run(services).id)


def _wait_seconds(error: ModelError) -> int:
    wanted = error.retry_after_seconds if isinstance(error, ModelBusyError) else None
    return max(LEAST_WAIT_SECONDS, min(math.ceil(wanted or 0), _LONGEST_WAIT_SECONDS))


def _payer(document: DocumentVersion, order: ContextOrder, services: Services) -> str:
    """Return the user whose key ordered the contexts, empty where the bucket brought the order or the key is gone."""
    key = services.tenants.key(order.key_id) if order.key_id else None
    return key.user if key and key.tenant == document.tenant else ""


def _budgets(window: Window, payer: str, services: Services) -> Sequence[Budget]:
    tenant, key_id = window.document.tenant, window.plan.order.key_id if payer else ""
    return limited_budgets(tenant, services.tenants.standing(tenant).tier.budgets, user=payer, key_id=key_id)
