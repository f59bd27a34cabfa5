"""How it is asked whether the passages hold an answer: one small model call, paid like any, and never in the way.

Whatever goes wrong with it (a busy model, a spent budget, a reply that is no verdict) lets the run go on to its answer:
the call that makes it has its own retries and its own end.
"""

from contextlib import suppress

from plinth.chain.answerability import VERDICT_TOKENS, check_prompt, checkers, declined, says_no
from plinth.chain.catalogue import CatalogueModel
from plinth.chain.executions import ENDING_SECONDS
from plinth.contracts.answering import CheckAnswerableInput, CheckAnswerableOutput
from plinth.contracts.memory import Missing, StoredPassage
from plinth.contracts.models import Prompt, TimeLimits
from plinth.contracts.runs import ModelCost, Run, RunRequest
from plinth.errors import BudgetExceededError, TransientError
from plinth.money.budgets import budgets_of
from plinth.runtime.side_calls import SideCall, ask, request_to
from plinth.wiring import Services

CHECK_SECONDS = 45.0  # below CheckAnswerable's own timeout


def check(request: CheckAnswerableInput, services: Services) -> CheckAnswerableOutput:
    """Return whether to go on to the answer; if not, the run's answer is there and says that there is none."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    passages = services.runs.get_content(run, "passages", tuple[StoredPassage, ...])
    missing = services.runs.get_content(run, "missing", Missing)
    if not passages or missing.names:
        services.runs.put_content(run, "answer", declined("", unknown=missing.names))
        return CheckAnswerableOutput(answerable=False)
    able = [each for each in checkers(asked) if services.breakers.look(each.id).open_until is None]
    chosen = min(able, key=lambda each: each.id != request.last_model, default=None)
    if chosen is None:
        return CheckAnswerableOutput(answerable=True)
    prompt = check_prompt(asked.question, passages, missing=missing.words)
    refused, calls = _verdict(run, asked, chosen, prompt, services)
    if refused:
        services.runs.put_content(run, "answer", declined(chosen.id))
    return CheckAnswerableOutput(answerable=not refused, calls=calls)


def _verdict(
    run: Run, asked: RunRequest, chosen: CatalogueModel, prompt: Prompt, services: Services
) -> tuple[bool, tuple[ModelCost, ...]]:
    """Return whether the model says no, and what asking cost."""
    limits = _limits(run, chosen, services)
    request = request_to(chosen, prompt, max_output_tokens=VERDICT_TOKENS, limits=limits)
    call = SideCall(run=run, step="CheckAnswerable", chosen=chosen, request=request)
    try:
        reply = ask(call, budgets_of(run.tenant, asked), services)
    except BudgetExceededError:
        return False, ()
    return reply.failure is None and says_no(reply.text), (reply.cost,)


def _limits(run: Run, chosen: CatalogueModel, services: Services) -> TimeLimits:
    left = run.deadline - services.clock.now() - ENDING_SECONDS

    def unwanted() -> bool:
        with suppress(TransientError):
            return services.runs.get(run.tenant, run.id).unwanted
        return False

    return TimeLimits(
        total_seconds=min(CHECK_SECONDS, left),
        first_seconds=chosen.first_seconds,
        stall_seconds=chosen.stall_seconds,
        cancelled=unwanted,
    )
