"""ParseReply: turn the model's text into an answer whose markers name their passages."""

from plinth.chain.prompting import choose_passages
from plinth.chain.replies import is_cacheable
from plinth.chain.replies import parse_reply as answer_from
from plinth.chain.routing import route_of
from plinth.contracts import ParseReplyInput, ParseReplyOutput
from plinth.contracts.memory import StoredPassage
from plinth.contracts.models import Reply
from plinth.runtime import step
from plinth.wiring import Services


def parse_reply(request: ParseReplyInput, services: Services) -> ParseReplyOutput:
    """Resolve the [n] markers against the same passages, in the same order, that the prompt numbered."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    reply = services.runs.get_content(run, "reply", Reply)
    ranked = services.runs.get_content(run, "passages", tuple[StoredPassage, ...])
    passages = choose_passages(ranked, characters=route_of(asked).passage_characters)
    answer = answer_from(reply, passages)
    services.runs.put_content(run, "answer", answer)
    return ParseReplyOutput(citations=len(answer.citations), cacheable=is_cacheable(reply))


handler = step(parse_reply)
