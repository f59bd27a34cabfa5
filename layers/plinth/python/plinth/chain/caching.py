"""When two questions are the same: the key under which a complete answer may be given again."""

import hashlib
import json
import unicodedata
from collections.abc import Sequence

from plinth.chain.prompting import PROMPT_VERSION
from plinth.contracts.runs import RunRequest, Turn


def conversation_digest(turns: Sequence[Turn]) -> str:
    """Return a digest of what was said, in order; empty for no turns."""
    said = [(turn.question, turn.answer) for turn in turns]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest() if said else ""


def answer_key(request: RunRequest, *, corpus_version: int, conversation: str) -> str:
    """Return the exact key of a question: everything that could change its answer, the tenant apart.

    Spacing does not count, and neither does the user: documents are the tenant's own. Case does: `dpkg -P` purges and
    `dpkg -p` prints.
    """
    question = " ".join(unicodedata.normalize("NFC", request.question).split())
    parts = [question, request.model, request.max_output_tokens, PROMPT_VERSION, corpus_version, conversation]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
