"""What is remembered of a user beyond a run: facts worth keeping, and the conversations that there are."""

from dataclasses import dataclass, replace

from plinth.contracts.runs import Run, RunRequest

MAX_FACT_CHARACTERS = 500
MAX_FACTS = 100
"""Of one user; beyond it the oldest give way. So few that comparing the question with each is quicker than an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A sentence worth keeping, last said at Unix time `at` in the run `run_id`.

    `documents` are the ids of those whose text the run had before it: the fact may rest on them, and is erased with
    any of them. `labels` are the access
    labels that its asker held: who lacks one of them is not told. It is gone at `expires_at`, in Unix seconds.
    """

    id: str
    text: str
    at: float
    run_id: str
    expires_at: int
    documents: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was said before the turns that are told whole, and the documents that it may rest on."""

    text: str
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """What a `model` made of a conversation's older turns, as far as askers who hold just these `labels` see them.

    It tells `turns` turns, said from `from_at` to `until_at` (Unix seconds): those of the runs in `covers` and, of all
    runs up to `covers_until`, those that there were. The run `by` made this version of that by `follows`; all of them
    cost `cost_micro_usd`. It may rest on `documents`, and is gone at `expires_at`, when the first of its turns is.
    """

    text: str
    model: str
    turns: int
    from_at: float
    until_at: float
    cost_micro_usd: int
    expires_at: int
    by: str = ""
    follows: str = ""
    covers: tuple[str, ...] = ()
    covers_until: str = ""
    documents: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation of a user. `last_at` is when its last answer came, `expires_at` when it is gone (Unix seconds)."""

    id: str
    last_at: float
    expires_at: int


def remembering(run: Run, asked: RunRequest) -> Run:
    """Return the run as turns and facts are kept with it: as long as they are remembered, not as long as the run."""
    return replace(run, keep_until=asked.remember_until or run.keep_until)
