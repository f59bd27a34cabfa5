"""LookUpAnswer: find an earlier answer to the same question over the same documents."""

from plinth.chain.caching import answer_key, near_key
from plinth.contracts import LookUpAnswerInput, LookUpAnswerOutput
from plinth.contracts.access import CachePolicy
from plinth.contracts.runs import CacheMatch
from plinth.runtime import step
from plinth.runtime.cached_answers import near_answer
from plinth.wiring import Services


def look_up_answer(request: LookUpAnswerInput, services: Services) -> LookUpAnswerOutput:
    """Look for the very question, then for one worded otherwise, as far as the tier allows; never in a conversation."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    if asked.cache is CachePolicy.OFF:
        return LookUpAnswerOutput(found=False, cache_key=None)
    key = answer_key(asked, corpus_version=request.corpus_version, conversation=request.conversation_digest)
    semantic = asked.cache is CachePolicy.SEMANTIC and not request.conversation_digest
    near = near_key(asked, corpus_version=request.corpus_version) if semantic else None
    cached, match = services.answers.get(run.tenant, key), CacheMatch.EXACT
    if cached is None and near is not None:
        cached, match = near_answer(run, near, services), CacheMatch.SEMANTIC
    if cached is None:
        return LookUpAnswerOutput(found=False, cache_key=key, near_key=near)
    services.runs.put_content(run, "answer", cached.answer)
    return LookUpAnswerOutput(
        found=True, cache_key=key, saved_micro_usd=cached.cost_micro_usd, match=match, saved_at=cached.saved_at
    )


handler = step(look_up_answer)
