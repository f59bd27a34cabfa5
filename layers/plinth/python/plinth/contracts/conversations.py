"""What is remembered of a user beyond a run: facts worth keeping, and the conversations that there are."""

from dataclasses import dataclass

MAX_FACT_CHARACTERS = 500
MAX_FACTS = 100
"""Of one user; beyond it the oldest give way. So few that comparing the question with each is quicker than an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A sentence worth keeping, last said at Unix time `at` in the run `run_id`.

    `documents` are the ids of those whose text the run had before it: the fact may rest on them, and is erased with
    any of them. It is gone at `expires_at`, in Unix seconds.
    """

    id: str
    text: str
    at: float
    run_id: str
    expires_at: int
    documents: tuple[str, ...] = ()
