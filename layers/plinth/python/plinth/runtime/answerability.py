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
from plinth.contracts.runs import Run, RunRequest
from plinth.errors import BudgetExceededError, ContentMissingError, ModelBreakerOpenError, TransientError
from plinth.money.budgets import budgets_of
from plinth.runtime.side_calls import SideCall, SideReply, ask, request_to
from plinth.wiring import Services

CHECK_SECONDS = 45.0  # below CheckAnswerable's own timeout


def check(request: CheckAnswerableInput, services: Services) -> CheckAnswerableOutput:
    """Return whether to go on to the answer; if not, the run's answer is there and says that there is none."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    passages = services.runs.get_content(run, "passages", tuple[StoredPassage, ...])
    try:
        missing = services.runs.get_content(run, "missing", Missing)
    except ContentMissingError:  # retrieved by the function of before an update, which did not say it
        return CheckAnswerableOutput(answerable=True)
    if not passages or missing.names:
        services.runs.put_content(run, "answer", declined("", unknown=missing.names))
        return CheckAnswerableOutput(answerable=False)
    prompt = check_prompt(asked.question, passages, missing=missing.words)
    reply = _asked(run, asked, prompt, request.last_model, services)
    if reply is None:
        return CheckAnswerableOutput(answerable=True)
    refused = reply.failure is None and says_no(reply.text)
    if refused:
        services.runs.put_content(run, "answer", declined(reply.cost.model))
    return CheckAnswerableOutput(answerable=not refused, calls=(reply.cost,))


def _asked(run: Run, asked: RunRequest, prompt: Prompt, last_model: str, services: Services) -> SideReply | None:
    """Ask the first checker whose breaker lets it, the conversation's last model before the others."""
    able = sorted(checkers(asked), key=lambda each: each.id != last_model)
    for attempt, chosen in enumerate(able, start=1):
        limits = _limits(run, chosen, services)
        request = request_to(chosen, prompt, max_output_tokens=VERDICT_TOKENS, limits=limits)
        call = SideCall(run=run, step="CheckAnswerable", attempt=attempt, chosen=chosen, request=request)
        try:
            return ask(call, budgets_of(run.tenant, asked), services)
        except ModelBreakerOpenError:
            continue
        except BudgetExceededError:
            break
    return None


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
