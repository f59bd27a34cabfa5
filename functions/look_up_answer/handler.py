"""LookUpAnswer: find an earlier answer to the same question over the same documents."""

from plinth.chain.caching import answer_key
from plinth.contracts import LookUpAnswerInput, LookUpAnswerOutput
from plinth.runtime import step
from plinth.wiring import Services


def look_up_answer(request: LookUpAnswerInput, services: Services) -> LookUpAnswerOutput:
    """Look for the exact question under its model, prompt, corpus version and conversation."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    key = answer_key(asked, corpus_version=request.corpus_version, conversation=request.conversation_digest)
    cached = services.answers.get(run.tenant, key)
    if cached is None:
        return LookUpAnswerOutput(found=False, cache_key=key)
    services.runs.put_content(run, "answer", cached.answer)
    return LookUpAnswerOutput(found=True, cache_key=key, saved_micro_usd=cached.cost_micro_usd)


handler = step(look_up_answer)
