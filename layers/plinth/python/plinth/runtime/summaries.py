"""How a conversation's summary is brought up to date: after a run's end, by one call, if nothing is in the way.

A busy model, a spent budget, a refusal, too little time or another run that was quicker leave things as they were. The
call is on the run's receipt all the same.
"""

from dataclasses import replace

from plinth.access.log_lines import logger_of
from plinth.chain.catalogue import CatalogueModel, catalogue
from plinth.chain.executions import ENDING_SECONDS
from plinth.chain.links import without_links
from plinth.chain.routing import route_of
from plinth.chain.summarizing import brought_up_to_date, summary_prompt, summary_tokens
from plinth.contracts.answering import SummarizeTurnsOutput
from plinth.contracts.models import StopReason, TimeLimits
from plinth.contracts.runs import Run, RunRequest
from plinth.errors import BudgetExceededError, ModelBreakerOpenError, TransientError
from plinth.money.budgets import budgets_of
from plinth.runtime.remembering import Memory, memory_of
from plinth.runtime.side_calls import SideCall, SideReply, ask, request_to
from plinth.wiring import Services

SUMMARY_SECONDS = 45.0  # below SummarizeTurns' own timeout
_LEAST_SECONDS = 10.0
_STEP = "SummarizeTurns"
_USABLE = (StopReason.END, StopReason.MAX_TOKENS)  # one that was cut is short, not wrong; a refusal is no summary
_NOTHING = SummarizeTurnsOutput()


def summarize(run: Run, services: Services) -> SummarizeTurnsOutput:
    """Sum up the turns that have left the last ones, if there are enough."""
    asked = services.runs.get(run.tenant, run.id).request
    chosen = catalogue().models.get(asked.summary_model)
    if chosen is None:
        logger_of(_STEP).warning("the catalogue has no such model", run_id=run.id, model=asked.summary_model)
        return _NOTHING
    left = run.until - services.clock.now() - ENDING_SECONDS
    if left < _LEAST_SECONDS:
        return _NOTHING
    memory = memory_of(run, asked, services)
    if not memory.told.leaving:
        return _NOTHING
    call = _call(run, asked, chosen, memory, seconds=min(SUMMARY_SECONDS, left))
    try:
        reply = ask(call, budgets_of(run.tenant, asked), services)
    except (BudgetExceededError, ModelBreakerOpenError):
        return _NOTHING
    try:
        services.runs.add_call(run, reply.cost)
        turns = _keep(run, asked, memory, reply, services)
    except TransientError as error:  # a repeat would pay for another call
        logger_of(_STEP).warning("not kept", run_id=run.id, error=str(error))
        turns = 0
    return SummarizeTurnsOutput(turns=turns, calls=(reply.cost,))


def _call(run: Run, asked: RunRequest, chosen: CatalogueModel, memory: Memory, *, seconds: float) -> SideCall:
    tokens = min(summary_tokens(route_of(asked).passage_characters), chosen.max_output_tokens)
    prompt = summary_prompt(memory.summary.text if memory.summary else "", memory.told.leaving, tokens=tokens)
    limits = TimeLimits(total_seconds=seconds, first_seconds=chosen.first_seconds, stall_seconds=chosen.stall_seconds)
    request = request_to(chosen, prompt, max_output_tokens=tokens, limits=limits)
    return SideCall(run=run, step=_STEP, chosen=chosen, request=request)


def _keep(run: Run, asked: RunRequest, memory: Memory, reply: SideReply, services: Services) -> int:
    """Keep the new summary if all that it was made of still stands; return how many turns more it tells."""
    text = without_links(reply.text, asked.link_hosts).strip()
    if not text or reply.stop_reason not in _USABLE:
        return 0
    before, leaving = memory.summary, memory.told.leaving
    made = brought_up_to_date(before, text, memory.seen, leaving, cost=reply.cost)
    new = replace(made, by=run.id, follows=before.by if before else "", labels=asked.labels)
    conversation = asked.conversation_id or ""
    kept = services.conversations.keep_summary(run.tenant, asked.user, conversation, new, made_of=leaving)
    return len(leaving) if kept else 0
