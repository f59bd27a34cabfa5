"""What of a long conversation is told again: the last turns whole, what came before them in a line each, for free.

The summary takes words from what was said and calls no model: it costs two read units at most, and no dollar of models.
"""

import re
from collections.abc import Sequence

from plinth.contracts.conversations import Summary
from plinth.contracts.runs import Turn

OLDER_TURNS = 30
_QUESTION_CHARACTERS = 120
_ANSWER_CHARACTERS = 200
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def summary_of(older: Sequence[Turn], *, characters: int) -> Summary:
    """Return a line for each of the turns, the latest that fit in `characters`, oldest first."""
    lines: list[str] = []
    told: list[Turn] = []
    for turn in reversed(older):
        line = _line(turn)
        if sum(map(len, lines)) + len(line) > characters:
            break
        lines.append(line)
        told.append(turn)
    documents = {document for turn in told for document in turn.documents}
    return Summary(text="\n".join(reversed(lines)), documents=tuple(sorted(documents)))


def _line(turn: Turn) -> str:
    answer = _cut(_first_sentence(turn.answer), _ANSWER_CHARACTERS)
    return f"- {_cut(turn.question, _QUESTION_CHARACTERS)} -> {answer}"


def _first_sentence(text: str) -> str:
    return _SENTENCE_END.split(text.strip(), maxsplit=1)[0]


def _cut(text: str, characters: int) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= characters else one_line[: characters - 1] + "…"
