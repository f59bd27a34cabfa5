"""What an answered run leaves behind: the conversation's turn, the cached answer, the receipt, the last events."""

from collections.abc import Sequence

from plinth.contracts.answering import SaveAnswerInput
from plinth.contracts.events import CitationFound, Event, ReceiptMade, RunEnded, StepEnded, TextDelta
from plinth.contracts.models import Reply
from plinth.contracts.runs import Answer, CachedAnswer, ModelCost, Receipt, RunStatus, Turn
from plinth.wiring import Services


def receipt_for(calls: Sequence[ModelCost], *, cached: bool = False, saved_micro_usd: int = 0) -> Receipt:
    """Return what the run cost: its model calls, failed ones too, or for a cached answer what its calls had cost."""
    return Receipt(
        model_calls=tuple(calls),
        model_cost_micro_usd=sum(call.cost_micro_usd for call in calls),
        cached=cached,
        saved_micro_usd=saved_micro_usd,
        prompt_cache_saved_micro_usd=sum(call.prompt_cache_saved_micro_usd for call in calls),
    )


def remember(request: SaveAnswerInput, answer: Answer, receipt: Receipt, services: Services) -> None:
    """Append the turn to its conversation and keep the answer under its key; both can be done twice without harm.

    An empty answer is no turn: providers refuse a conversation that holds one.
    """
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    now = services.clock.now()
    if asked.conversation_id is not None and answer.text:
        turn = Turn(question=asked.question, answer=answer.text, at=now, model=answer.model)
        services.conversations.append(run, asked.user, asked.conversation_id, turn)
    if request.cache_key is not None:
        kept = CachedAnswer(answer=answer, cost_micro_usd=receipt.model_cost_micro_usd, saved_at=now)
        services.answers.put(run.tenant, request.cache_key, kept)


def last_events(answer: Answer, *, reply: Reply | None, receipt: Receipt, steps: Sequence[StepEnded]) -> list[Event]:
    """Return the end of the log. Without a reply nothing was streamed, so the cached text comes here, whole."""
    text: list[Event] = [] if reply else [TextDelta(text=answer.text, attempt=1, offset=0)]
    citations = [CitationFound(citation=citation) for citation in answer.citations]
    ended = RunEnded(status=RunStatus.DONE, text_length=len(reply.text if reply else answer.text))
    return [*text, *citations, *steps, ReceiptMade(receipt=receipt), ended]
