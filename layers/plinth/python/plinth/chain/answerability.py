"""Whether the documents hold an answer at all: when that is asked first, in what words, and what is said if not."""

from collections.abc import Sequence

import msgspec

from plinth.chain.catalogue import CatalogueModel
from plinth.chain.prompting import system_text
from plinth.chain.routing import route_of
from plinth.contracts.memory import Missing, StoredPassage
from plinth.contracts.models import JsonSchema, Message, Prompt, Role
from plinth.contracts.runs import NOT_IN_DOCUMENTS, Answer, RunRequest
from plinth.memory.mentions import missing_from

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


def doubts(asked: RunRequest, found: Sequence[StoredPassage], *, corpus_version: int) -> Missing | None:
    """Return what of the question is missing, if CheckAnswerable decides first; None if it is answered at once.

    That is for a model that would rather make answers up, where nothing was found or something is missing. A run with
    tools may find more, and a tenant that never had a document has nothing that could not say.
    """
    if asked.tools or not corpus_version or not checkers(asked):
        return None
    missing = missing_from(found, asked.question)
    return missing if missing or not found else None


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


def declined(model: str, *, unknown: Sequence[str] = ()) -> Answer:
    """Return the answer that there is none, found by `model`, or by the search alone: it tells the `unknown` names."""
    text = f"{DECLINED} They do not mention {', '.join(unknown)}." if unknown else DECLINED
    return Answer(text=text, citations=(), stop_reason=NOT_IN_DOCUMENTS, model=model)


def is_declined(text: str) -> bool:
    """Say whether a reply says this and nothing more, whatever passages it names."""
    return text.strip(" .\n").casefold() == DECLINED.strip(".").casefold()
