"""Which passages of a document a model is to write about, and what that may cost: known before a model is asked.

What was paid for is kept under the version, not under the try, for two days, and with the live version in the index:
neither a redrive nor a new version pays for it again.
"""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from plinth.access.entitlement import context_model
from plinth.chain.context_prices import most_micro_usd, window_bounds
from plinth.contracts.contexts import ContextPlan, PlanContextsOutput
from plinth.contracts.memory import DocumentVersion, Passage
from plinth.errors import DocumentRefusedError, InvalidFieldError
from plinth.memory.context_windows import beginning_of, windows_of
from plinth.runtime.context_work import Window, keys_of, parsed_of, split_passages
from plinth.runtime.live_passages import live_passages
from plinth.wiring import Services

MAX_WINDOWS = 500
"""Windows of one try: more would not fit into a machine's history or time. The next import writes the next ones."""


def plan(document: DocumentVersion, services: Services) -> PlanContextsOutput:
    """Say which passages are written about, and what that may cost; what the live version has is not written again.

    Raises `DocumentRefusedError` for a model that the tenant does not have, or where it may cost more than was told.
    """
    parsed, passages = parsed_of(document, services), split_passages(document, services)
    order, beginning = parsed.source.contexts, beginning_of(parsed)
    try:
        chosen = context_model(order.model, services.tenants.standing(document.tenant).tier)
    except InvalidFieldError as error:
        raise DocumentRefusedError("bad_metadata", f"{error}: upload it again so, or without contexts") from error
    made = ContextPlan(model=chosen.id, title=parsed.title, beginning=beginning, windows=(), order=order)
    keys, live = keys_of(made, passages), _live_contexts(document, services)
    known = {key: live[key] for key in keys if key in live}
    fresh = {key: each for key, each in reversed(list(zip(keys, passages, strict=True))) if key not in known}
    in_order = sorted(fresh.values(), key=lambda each: each.position)
    windows = windows_of(in_order, characters=chosen.passage_characters)[:MAX_WINDOWS]
    made = replace(made, windows=windows, known=known)
    most = most_micro_usd(chosen, window_bounds(made.title, beginning, _unpaid(document, made, passages, services)))
    if order.most_micro_usd is not None and most > order.most_micro_usd:
        amounts = f"can cost {most} micro-dollars, more than the {order.most_micro_usd} that were allowed"
        remedy = "upload it with a higher max_context_cost_micro_usd, or without contexts"
        raise DocumentRefusedError("contexts_too_dear", f"contexts of its {len(passages)} passages {amounts}: {remedy}")
    services.work.put(document, "context-plan", msgspec.json.encode(made))
    return PlanContextsOutput(windows=len(windows), most_micro_usd=most)


def _unpaid(
    document: DocumentVersion, planned: ContextPlan, passages: Sequence[Passage], services: Services
) -> list[list[Passage]]:
    """Return the windows that no earlier try has written."""
    windows = [Window(document, planned, number, passages) for number in range(len(planned.windows))]
    return [each.passages for each in windows if document.attempt <= 1 or each.kept(services) is None]


def _live_contexts(document: DocumentVersion, services: Services) -> dict[str, str]:
    live = live_passages(document, services.documents.corpus(document.tenant).indexes.live, services)
    return {passage.context_key: passage.context for passage, _ in live if passage.context}
