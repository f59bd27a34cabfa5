"""What a reply means: which passages its [n] markers name, and whether it may be given again."""

from collections.abc import Sequence

from plinth.chain.answerability import declined, is_declined
from plinth.chain.markers import MARKERS, without_code
from plinth.contracts.memory import StoredPassage
from plinth.contracts.models import Reply, StopReason
from plinth.contracts.runs import Answer, Citation


def parse_reply(reply: Reply, passages: Sequence[StoredPassage]) -> Answer:
    """Return the answer with one citation per passage that the text names, in the order of first mention.

    A number that names no passage, or stands in code, is left in the text and cited by nothing. A reply that only says
    that the documents do not say is that answer, and cites nothing.
    """
    text = reply.text.strip()
    if is_declined(MARKERS.sub("", text)):
        return declined(reply.cost.model)
    groups: list[str] = MARKERS.findall(without_code(text))
    named = dict.fromkeys(int(number) for group in groups for number in group.split(","))
    citations = tuple(_cite(number, passages[number - 1]) for number in named if 1 <= number <= len(passages))
    return Answer(text=text, citations=citations, stop_reason=reply.stop_reason.value, model=reply.cost.model)


def is_cacheable(reply: Reply) -> bool:
    """Say whether the reply is whole: it ended by itself and says something."""
    return reply.stop_reason is StopReason.END and bool(reply.text.strip())


def _cite(number: int, passage: StoredPassage) -> Citation:
    return Citation(
        marker=number,
        document_id=passage.document_id,
        name=passage.name,
        title=passage.title,
        text=passage.text,
        page=passage.page,
        heading=passage.heading,
        start=passage.start,
        end=passage.end,
        position=passage.position,
        generation=passage.generation,
    )
