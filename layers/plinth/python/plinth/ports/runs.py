"""A run and what it leaves behind: its row, its log, its conversation, its answer."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from plinth.contracts.conversations import Conversation, ModelSummary
from plinth.contracts.events import NOTHING_MORE, Beginning, Event, LoggedEvent
from plinth.contracts.executions import Continuation
from plinth.contracts.questions import KeptQuestion
from plinth.contracts.runs import (
    Acceptance,
    CachedAnswer,
    IdempotencyKey,
    ModelCost,
    Overdue,
    Run,
    RunRecord,
    RunRequest,
    Turn,
)
from plinth.contracts.tenant import Tenant
from plinth.contracts.usage import UserDay

Content = TypeVar("Content")


class Runs(Protocol):
    """The rows of runs, and what their steps hand to one another."""

    def accept(
        self, run: Run, request: RunRequest, key: IdempotencyKey | None, beginning: Beginning = NOTHING_MORE
    ) -> Acceptance:
        """Write the run down and its first events, once per key; `IdempotencyConflictError` for another body.

        A run that is answered already is written down with its end, which counts as that of `RunLog.append`.
        """
        ...

    def find(self, tenant: Tenant, key: IdempotencyKey) -> str | None:
        """Return the run that the key stands for, if there is one; `IdempotencyConflictError` for another body."""
        ...

    def get(self, tenant: Tenant, run_id: str) -> RunRecord:
        """Return the run, or raise `NotFoundError`."""
        ...

    def cancel(self, tenant: Tenant, run_id: str) -> RunRecord:
        """Note that nobody wants the run any more, unless it has ended, and return it; `NotFoundError` without one."""
        ...

    def add_call(self, run: Run, call: ModelCost) -> None:
        """Add a call that was made after the run's end to its receipt and its user's day: one, and once.

        Nothing happens where the run is not there any more.
        """
        ...

    def put_content(self, run: Run, name: str, content: object) -> None:
        """Keep what a step hands on (prompt, reply, answer) with the run, compressed, until the run expires."""
        ...

    def get_content(self, run: Run, name: str, kind: type[Content]) -> Content:
        """Return what a step handed on, or raise `ContentMissingError` where no step did."""
        ...

    def contents(self, tenant: Tenant, run_id: str) -> dict[str, object]:
        """Return everything that the run's steps handed on and that has not expired, as JSON by name."""
        ...


class Executions(Protocol):
    """Who works on a run: one execution at a time, by a lease."""

    def claim(self, run: Run, *, owner: str) -> bool:
        """Make `owner` the one execution that may work on this epoch of the run; the same owner may claim again."""
        ...

    def renew(self, run: Run, *, wait_seconds: float = 0.0) -> None:
        """Hold the run for longer, from the end of a wait on; nothing if it is another execution's by now."""
        ...

    def hand_over(self, run: Run, continuation: Continuation) -> Run:
        """Give the run up with what its next execution goes on with, and return the run as that one is given it.

        What was handed over is handed over once. `RunSupersededError` for a stale epoch and a run that has ended.
        """
        ...

    def take_over(self, run: Run, continuation: Continuation) -> Run | None:
        """Do the same for an execution whose lease is over; None where it is not, or somebody else was first."""
        ...

    def continuation(self, run: Run) -> Continuation:
        """Return what the last hand-over left, or the beginning."""
        ...

    def overdue(self, *, limit: int) -> list[Overdue]:
        """Return open runs that somebody must look after: of all tenants, and of some more than `limit` that many.

        One whose row can't be read is among them, and hides no other.
        """
        ...

    def look_again(self, run: Run, *, at: float) -> None:
        """Let the run be overdue at this Unix time, and not before; nothing if it has ended."""
        ...


class RunLog(Protocol):
    """The ordered, fenced, append-only log of a run."""

    def append(self, run: Run, events: Sequence[Event]) -> int:
        """Append in order, all or nothing; return the last `seq`.

        A last `run.ended` ends the run's row with it, and adds what the run used to its user's day.
        `RunSupersededError` for a stale epoch and for a run that has ended.
        """
        ...

    def read(self, tenant: Tenant, run_id: str, *, after: int) -> list[LoggedEvent]:
        """Return the events after `after`, in order, without gaps. An unknown run has none."""
        ...


class UsageBook(Protocol):
    """What a tenant's users used, in days of UTC."""

    def days(self, tenant: Tenant, *, first: str, last: str) -> Iterable[UserDay]:
        """Return the days from the first to the last, both included (YYYY-MM-DD), in order; a day may have parts."""
        ...

    def count_calls(self, run: Run, user: str, calls: Sequence[ModelCost], *, at: float) -> None:
        """Add calls that no receipt lists to the user's day of Unix time `at`, once per run.

        Without a user they are of `(bucket)`.
        """
        ...


class Exports(Protocol):
    """Where files for people outside Plinth are left."""

    def put(self, key: str, body: bytes) -> None:
        """Store CSV under the key, in place of what is there."""
        ...


class Conversations(Protocol):
    """What was said before, per tenant, user and conversation."""

    def recent(self, tenant: Tenant, user: str, conversation_id: str, *, limit: int) -> list[Turn]:
        """Return the last turns, oldest first."""
        ...

    def summary(self, tenant: Tenant, user: str, conversation_id: str, *, labels: Sequence[str]) -> ModelSummary | None:
        """Return the summary of older turns for askers who hold just these labels, or None."""
        ...

    def keep_summary(
        self, tenant: Tenant, user: str, conversation_id: str, summary: ModelSummary, *, made_of: Sequence[Turn]
    ) -> bool:
        """Keep the summary in place of the one that it `follows`, which may be none.

        False where another one stands there by now, or one of the turns is not there any more.
        """
        ...

    def append(self, run: Run, user: str, conversation_id: str, turn: Turn) -> None:
        """Remember a turn, once per run."""
        ...

    def list(self, tenant: Tenant, user: str) -> list[Conversation]:
        """Return the user's conversations, the one with the latest answer first."""
        ...

    def erase(self, tenant: Tenant, user: str, conversation_id: str) -> int:
        """Remove a conversation and return how many turns it had; `NotFoundError` for an unknown one."""
        ...


class AnswerCache(Protocol):
    """Complete answers by an exact key, and questions by their form (see `plinth.chain.caching`)."""

    def get(self, tenant: Tenant, key: str) -> CachedAnswer | None:
        """Return the answer that is still in force, or None."""
        ...

    def put(self, tenant: Tenant, key: str, cached: CachedAnswer) -> None:
        """Keep an answer until it expires."""
        ...

    def kept_question(self, tenant: Tenant, near_key: str) -> KeptQuestion | None:
        """Return the latest question of this form whose answer was kept, or None."""
        ...

    def keep_question(self, tenant: Tenant, near_key: str, kept: KeptQuestion) -> None:
        """Note that a question of this form has an answer, in place of an earlier one, until it expires."""
        ...
