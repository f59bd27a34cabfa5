"""What of a long conversation is told again: the last turns whole, what came before them in few words.

Whole turns have a bound of characters, or a question after two long answers would be too long for a small model for
ever: the oldest that do not fit are told in few words, too, and the last one is cut if it does not fit by itself.

A summary by a model tells older turns where the tier pays for one (`plinth.chain.summarizing`). Turns that it does not
tell, or all of them, are told in a line each, cut from what was said: that costs two read units at most.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from plinth.chain.catalogue import Route
from plinth.chain.summarizing import is_told, next_turns
from plinth.contracts.conversations import ModelSummary, Summary
from plinth.contracts.runs import Turn

OLDER_TURNS = 30
_QUESTION_CHARACTERS = 120
_ANSWER_CHARACTERS = 200
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """The turns that are told whole, what is told of those before, and those of them that are to be summed up next."""

    turns: tuple[Turn, ...]
    older: Summary
    leaving: tuple[Turn, ...]


def recalled(seen: Sequence[Turn], summary: ModelSummary | None, route: Route) -> Recalled:
    """Return what is told of the last turns, oldest first: each of them once."""
    untold = [turn for turn in seen if not is_told(turn, summary)]
    turns = _fitting(untold[-route.history_turns :], characters=route.history_characters)
    older = untold[: len(untold) - len(turns)]
    told = summary_of(older, characters=route.passage_characters // 6)
    if summary is not None:
        text = "\n".join(part for part in (summary.text, told.text) if part)
        documents = sorted({*summary.documents, *told.documents})
        told = Summary(text=text, documents=tuple(documents))
    return Recalled(turns=tuple(turns), older=told, leaving=next_turns(older))


def _fitting(last: Sequence[Turn], *, characters: int) -> list[Turn]:
    """Return the latest of the turns that fit in `characters`, oldest first: of one at least what fits of it."""
    turns: list[Turn] = []
    for turn in reversed(last):
        if len(turn.question) + len(turn.answer) > characters:
            return turns or [_shortened(turn, characters)]
        turns.insert(0, turn)
        characters -= len(turn.question) + len(turn.answer)
    return turns


def _shortened(turn: Turn, characters: int) -> Turn:
    question = _begun(turn.question, characters // 4)
    return replace(turn, question=question, answer=_begun(turn.answer, characters - len(question)))


def _begun(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"


def summary_of(older: Sequence[Turn], *, characters: int) -> Summary:
    """Return a line for each of the turns, the latest that fit in `characters`, oldest first: long ones are cut."""
    lines: list[str] = []
    told: list[Turn] = []
    for turn in reversed(older):
        line = _line(turn, characters)
        if sum(map(len, lines)) + len(line) > characters:
            break
        lines.append(line)
        told.append(turn)
    documents = {document for turn in told for document in turn.documents}
    return Summary(text="\n".join(reversed(lines)), documents=tuple(sorted(documents)))


def _line(turn: Turn, room: int) -> str:
    question = _cut(turn.question, min(_QUESTION_CHARACTERS, room // 6))
    answer = _cut(_first_sentence(turn.answer), min(_ANSWER_CHARACTERS, room // 4))
    return f"- {question} -> {answer}"


def _first_sentence(text: str) -> str:
    return _SENTENCE_END.split(text.strip(), maxsplit=1)[0]


def _cut(text: str, characters: int) -> str:
    return _begun(" ".join(text.split()), characters)
