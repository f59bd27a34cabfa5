"""What an ended run leaves behind: the conversation's turn, the cached answer, the receipt, the last events."""

from collections.abc import Sequence
from dataclasses import replace

from plinth.contracts.answering import SaveAnswerInput
from plinth.contracts.conversations import remembering
from plinth.contracts.events import CitationFound, Event, ReceiptMade, Reset, RunEnded, StepEnded, TextDelta
from plinth.contracts.models import Reply
from plinth.contracts.runs import (
    NOT_IN_DOCUMENTS,
    Answer,
    BudgetLine,
    CachedAnswer,
    CacheMatch,
    ModelCost,
    Receipt,
    Run,
    RunRequest,
    RunStatus,
    Turn,
)
from plinth.errors import RecordUnreadableError, TransientError
from plinth.money.budgets import budgets_of
from plinth.money.platform import platform_cost
from plinth.runtime.cached_answers import keep_question
from plinth.wiring import Services


def receipt_for(calls: Sequence[ModelCost]) -> Receipt:
    """Return what the run's model calls cost, failed ones too."""
    return Receipt(
        model_calls=tuple(calls),
        model_cost_micro_usd=sum(call.cost_micro_usd for call in calls),
        prompt_cache_saved_micro_usd=sum(call.prompt_cache_saved_micro_usd for call in calls),
    )


def cached_receipt(
    calls: Sequence[ModelCost] = (), *, saved_micro_usd: int, match: CacheMatch | None, saved_at: float, now: float
) -> Receipt:
    """Return what a cached answer saved, how it was found, how old it is, and the calls that were made all the same."""
    return replace(
        receipt_for(calls),
        cached=True,
        saved_micro_usd=saved_micro_usd,
        match=match,
        age_seconds=max(0.0, now - saved_at) if saved_at else 0.0,
    )


def answered_receipt(request: SaveAnswerInput, *, now: float) -> Receipt:
    """Return what an answered run's models cost, and what its cached answer saved.

    A run whose lost execution had called a model may find its answer cached by another run: that call was paid.
    """
    if not request.cached:
        return receipt_for(request.calls)
    return cached_receipt(
        request.calls,
        saved_micro_usd=request.saved_micro_usd,
        match=request.match,
        saved_at=request.saved_at,
        now=now,
    )


def whole(receipt: Receipt, run: Run, asked: RunRequest, services: Services, steps: Sequence[StepEnded]) -> Receipt:
    """Return the receipt with what these steps, all of the run's, cost, and what the run's budgets have left."""
    return replace(receipt, platform=platform_cost(steps), budgets=_budget_lines(run, asked, services))


def _budget_lines(run: Run, asked: RunRequest, services: Services) -> tuple[BudgetLine, ...]:
    """Return what is left; nothing where the ledger can't be read, since no receipt may keep a run from its end."""
    budgets = budgets_of(run.tenant, asked)
    if not budgets:
        return ()
    try:
        standing = services.ledger.left(budgets)
    except (TransientError, RecordUnreadableError):
        return ()
    return tuple(
        BudgetLine(
            scope=each.scope.kind,
            window=window.window,
            limit_micro_usd=window.limit_micro_usd,
            left_micro_usd=window.left_micro_usd,
            resets_at=window.resets_at,
        )
        for each in standing
        for window in (each.day, each.month)
        if window.limit_micro_usd is not None and window.left_micro_usd is not None
    )


def remember(request: SaveAnswerInput, asked: RunRequest, answer: Answer, services: Services) -> None:
    """Append the turn to its conversation and keep the answer under its key; both can be done twice without harm.

    An empty answer is no turn: providers refuse a conversation that holds one.
    """
    run = request.run
    now = services.clock.now()
    if asked.conversation_id is not None and answer.text:
        turn = Turn(
            question=asked.question,
            answer=answer.text,
            at=now,
            model=answer.model,
            documents=answer.documents,
            labels=asked.labels,
        )
        services.conversations.append(remembering(run, asked), asked.user, asked.conversation_id, turn)
    if request.cache_key is not None:
        cost = sum(call.cost_micro_usd for call in request.calls)
        kept = CachedAnswer(answer=answer, cost_micro_usd=cost, saved_at=now)
        services.answers.put(run.tenant, request.cache_key, kept)
        if request.near_key is not None:
            keep_question(run, request.near_key, request.cache_key, services)


def last_events(
    answer: Answer, *, reply: Reply | None, receipt: Receipt, steps: Sequence[StepEnded], attempt: int = 1
) -> list[Event]:
    """Return the end of the log. Without a reply the text comes here, whole, as this attempt at it."""
    text: list[Event] = [] if reply else [TextDelta(text=answer.text, attempt=attempt, offset=0)]
    reset = [Reset(attempt=attempt, reason="function_lost")] if text and attempt > 1 else []
    citations = [CitationFound(citation=citation) for citation in answer.citations]
    reason = NOT_IN_DOCUMENTS if answer.stop_reason == NOT_IN_DOCUMENTS else None
    ended = RunEnded(status=RunStatus.DONE, text_length=len(reply.text if reply else answer.text), reason=reason)
    return [*reset, *text, *citations, *steps, ReceiptMade(receipt=receipt), ended]
