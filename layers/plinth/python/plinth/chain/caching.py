"""When two questions are the same: the keys under which a complete answer may be given again, and how near is near."""

import hashlib
import json
import struct
import unicodedata
from collections.abc import Sequence

from plinth.chain.content_gate import form
from plinth.chain.prompting import PROMPT_VERSION
from plinth.contracts.questions import KeptQuestion, QuestionVector
from plinth.contracts.runs import RunRequest, Turn

NEAR_COSINE = 0.85
"""Least cosine of two questions of one form that share an answer. Rewordings lay at 0.86 and above, replaced words that
lost their sense ("get up", "obtain up") at 0.55 to 0.81: `python -m bench cache` (MiniLM, November 2026)."""


def conversation_digest(turns: Sequence[Turn], *, older: str = "", facts: Sequence[str] = ()) -> str:
    """Return a digest of what was said and of what is known of the user; empty where that is nothing."""
    said: list[object] = [(turn.question, turn.answer) for turn in turns]
    if older or facts:
        said += [older, list(facts)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest() if said else ""


def answer_key(request: RunRequest, *, corpus_version: int, conversation: str) -> str:
    """Return the exact key of a question: everything that could change its answer, the tenant apart.

    Spacing does not count, and neither does the user: documents are the tenant's own. Case does: `dpkg -P` purges and
    `dpkg -p` prints.
    """
    question = " ".join(unicodedata.normalize("NFC", request.question).split())
    return _digest([question, *_partition(request, corpus_version, conversation)])


def near_key(request: RunRequest, *, corpus_version: int) -> str:
    """Return the key of all questions of one form, which may share an answer if they are near; for no history."""
    content = form(unicodedata.normalize("NFC", request.question))
    return _digest([content, *_partition(request, corpus_version, "")])


def question_vector(vector: Sequence[float], *, model: str) -> QuestionVector:
    """Return a unit vector in half precision: 768 bytes of 384 numbers, and cosines right to 0.001."""
    return QuestionVector(model=model, halves=struct.pack(f"<{len(vector)}e", *vector))


def is_near(asked: QuestionVector, kept: KeptQuestion) -> bool:
    """Say whether a kept question of the same form is near enough to share its answer; never across two models."""
    return asked.model == kept.vector.model and cosine(asked, kept.vector) >= NEAR_COSINE


def cosine(one: QuestionVector, other: QuestionVector) -> float:
    """Return the cosine of two vectors of one model, from -1 to 1."""
    pairs = zip(_numbers(one), _numbers(other), strict=True)
    return sum(mine * theirs for mine, theirs in pairs)


def _numbers(vector: QuestionVector) -> tuple[float, ...]:
    return struct.unpack(f"<{len(vector.halves) // 2}e", vector.halves)


def _partition(request: RunRequest, corpus_version: int, conversation: str) -> list[object]:
    """Return what no answer crosses: models, output limit, prompt, tools, links, sight, documents, history."""
    asked_of = [request.model, request.models, request.max_output_tokens]
    seen = [request.link_hosts, request.labels, request.metadata]
    return [*asked_of, PROMPT_VERSION, request.tools, *seen, corpus_version, conversation]


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
