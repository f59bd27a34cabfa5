"""ParseReply: turn the model's text into an answer whose markers name their passages."""

from dataclasses import replace

from plinth.chain.replies import is_cacheable
from plinth.chain.replies import parse_reply as answer_from
from plinth.contracts import ParseReplyInput, ParseReplyOutput
from plinth.contracts.models import Reply
from plinth.runtime import step
from plinth.runtime.provenance import documents_before
from plinth.runtime.turns import numbered_passages
from plinth.wiring import Services


def parse_reply(request: ParseReplyInput, services: Services) -> ParseReplyOutput:
    """Resolve the [n] markers against the same passages, in the same order, that the prompt numbered."""
    run = request.run
    reply = services.runs.get_content(run, "reply", Reply)
    answer = answer_from(reply, numbered_passages(run, services, turn=request.turn))
    answer = replace(answer, documents=documents_before(run, services, turn=request.turn))
    services.runs.put_content(run, "answer", answer)
    return ParseReplyOutput(citations=len(answer.citations), cacheable=request.turn == 1 and is_cacheable(reply))


handler = step(parse_reply)
