"""Whether the documents hold an answer at all: when that is asked first, in what words, and what is said if not."""

from collections.abc import Sequence

import msgspec

from plinth.chain.catalogue import CatalogueModel
from plinth.chain.prompting import system_text
from plinth.chain.routing import route_of
from plinth.contracts.memory import StoredPassage
from plinth.contracts.models import JsonSchema, Message, Prompt, Role
from plinth.contracts.runs import NOT_IN_DOCUMENTS, Answer, RunRequest
from plinth.memory.mentions import unmentioned

DECLINED = "The documents do not say."
CHECK_VERSION = "answerable-1"
VERDICT_TOKENS = 24
_QUESTION = "Is this question answerable from the passages? Answer yes or no."
_VERDICT: JsonSchema = {
    "type": "object",
    "properties": {"answerable": {"type": "string", "enum": ["yes", "no"]}},
    "required": ["answerable"],
    "additionalProperties": False,
}


class _Verdict(msgspec.Struct):
    answerable: str


def is_doubtful(asked: RunRequest, found: Sequence[StoredPassage], *, corpus_version: int) -> bool:
    """Say whether CheckAnswerable decides first: for a model that would rather make answers up, and with a reason.

    A reason is that nothing was found, or that no passage found holds some word of the question. A run with tools may
    find more, and a tenant that never had a document has nothing that could not say.
    """
    if asked.tools or not corpus_version or not checkers(asked):
        return False
    return not found or bool(unmentioned(asked.question, found))


def checkers(asked: RunRequest) -> tuple[CatalogueModel, ...]:
    """Return the models of the run's route that are asked for a verdict first, in order."""
    return tuple(each for each in route_of(asked).models if each.checks_answerable)


def check_prompt(question: str, passages: Sequence[StoredPassage], *, missing: Sequence[str]) -> Prompt:
    """Return what asks for the verdict; it begins as the answer's prompt does, so that the model reads that once.

    It tells which words are `missing` from the passages: asked without, a model of 1.5 billion parameters said yes to
    nearly everything.
    """
    told = f"No passage contains: {', '.join(missing)}.\n\n" if missing else ""
    return Prompt(
        version=CHECK_VERSION,
        system=system_text(passages),
        messages=(Message(role=Role.USER, text=f"{question}\n\n{told}{_QUESTION}"),),
        answer_schema=_VERDICT,
        tainted=True,
    )


def says_no(text: str) -> bool:
    """Read the verdict; only a clear no is one."""
    try:
        return msgspec.json.decode(text, type=_Verdict).answerable == "no"
    except msgspec.DecodeError:
        return False


def declined(model: str) -> Answer:
    """Return the answer that there is none, found by `model`, or by the search alone."""
    return Answer(text=DECLINED, citations=(), stop_reason=NOT_IN_DOCUMENTS, model=model)


def is_declined(text: str) -> bool:
    """Say whether a reply says this and nothing more, whatever passages it names."""
    return text.strip(" .\n").casefold() == DECLINED.strip(".").casefold()
