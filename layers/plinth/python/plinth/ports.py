"""What Plinth needs from the outside, said in its own words; adapters say how.

Every method raises only errors of `plinth.errors`. Everything tenant-bound takes a `Tenant` or a `Run`, never a string.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from plinth.contracts.access import KeyRecord, Tier
from plinth.contracts.events import Event, LoggedEvent
from plinth.contracts.inferring import InferenceOutcome, PendingInference
from plinth.contracts.limits import Admission, Left
from plinth.contracts.memory import (
    DocumentRecord,
    DocumentVersion,
    ParsedDocument,
    Passage,
    SourceObject,
    StoredPassage,
)
from plinth.contracts.models import Breaker, ModelRequest, StreamItem
from plinth.contracts.money import Budget, BudgetLeft, Reservation, Swept
from plinth.contracts.runs import (
    Acceptance,
    CachedAnswer,
    IdempotencyKey,
    KeptQuestion,
    Run,
    RunRecord,
    RunRequest,
    Turn,
)
from plinth.contracts.tenant import Tenant

Content = TypeVar("Content")
Vector = Sequence[float]

UPLOAD_SECONDS = 300
"""How long an upload URL may be used."""


class Clock(Protocol):
    """Time, so that tests can own it."""

    def now(self) -> float:
        """Return Unix time in seconds."""
        ...


class Embedder(Protocol):
    """Turns text into unit vectors whose dot product is the cosine similarity."""

    @property
    def model_id(self) -> str:
        """Name the model: vectors of different models can't be compared."""
        ...

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector per text, in order."""
        ...


class Memory(Protocol):
    """Search by meaning and by words within one tenant. Only offers candidates: `Documents` says what is live."""

    def search(self, tenant: Tenant, question: str, vector: Vector, *, limit: int) -> list[StoredPassage]:
        """Return at most `limit` passages, best first, by both kinds of search fused."""
        ...

    def index(self, document: DocumentVersion, title: str, passages: Sequence[tuple[Passage, Vector]]) -> int:
        """Store every passage of this version under a natural key, so that a retry writes nothing twice."""
        ...

    def count(self, document: DocumentVersion) -> int:
        """Return how many distinct passages of this version a search can see."""
        ...

    def remove_older(self, document: DocumentVersion) -> int:
        """Delete the passages of every version before this one; return how many."""
        ...

    def remove_this(self, document: DocumentVersion) -> int:
        """Delete the passages of this version alone; return how many."""
        ...

    def remove_through(self, document: DocumentVersion) -> int:
        """Delete the passages of this version and of every one before it; return how many."""
        ...


class LanguageModel(Protocol):
    """One provider's models."""

    def stream(self, request: ModelRequest) -> Iterator[StreamItem]:
        """Yield text as it comes and one `ModelEnd` last, within the limits; raise a `ModelError` otherwise."""
        ...


class Breakers(Protocol):
    """One circuit breaker per model, shared by all functions. None of its methods raises."""

    def look(self, model: str) -> Breaker:
        """Return whether the model may be asked now; after an open time only one caller is told so, and probes."""
        ...

    def failed(self, model: str) -> None:
        """Count a failure that speaks of an ill model."""
        ...

    def succeeded(self, model: str) -> None:
        """Close the breaker of a model that was failing."""
        ...


class Runs(Protocol):
    """The rows of runs, and what their steps hand to one another."""

    def accept(self, run: Run, request: RunRequest, key: IdempotencyKey | None) -> Acceptance:
        """Write the run down and its first event, once per key; `IdempotencyConflictError` for another body."""
        ...

    def find(self, tenant: Tenant, key: IdempotencyKey) -> str | None:
        """Return the run that the key stands for, if there is one; `IdempotencyConflictError` for another body."""
        ...

    def claim(self, run: Run, *, owner: str) -> bool:
        """Make `owner` the one execution that may work on the run; the same owner may claim again."""
        ...

    def get(self, tenant: Tenant, run_id: str) -> RunRecord:
        """Return the run, or raise `NotFoundError`."""
        ...

    def put_content(self, run: Run, name: str, content: object) -> None:
        """Keep what a step hands on (prompt, reply, answer) with the run, compressed, until the run expires."""
        ...

    def get_content(self, run: Run, name: str, kind: type[Content]) -> Content:
        """Return what a step handed on, or raise `ContentMissingError` where no step did."""
        ...


class RunLog(Protocol):
    """The ordered, fenced, append-only log of a run."""

    def append(self, run: Run, events: Sequence[Event]) -> int:
        """Append in order, all or nothing; return the last `seq`. A last `run.ended` ends the run's row with it.

        `RunSupersededError` for a stale epoch and for a run that has ended.
        """
        ...

    def read(self, tenant: Tenant, run_id: str, *, after: int) -> list[LoggedEvent]:
        """Return the events after `after`, in order, without gaps. An unknown run has none."""
        ...


class Conversations(Protocol):
    """What was said before, per tenant, user and conversation."""

    def recent(self, tenant: Tenant, user: str, conversation_id: str, *, limit: int) -> list[Turn]:
        """Return the last turns, oldest first."""
        ...

    def append(self, run: Run, user: str, conversation_id: str, turn: Turn) -> None:
        """Remember a turn, once per run."""
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


class Documents(Protocol):
    """The rows of documents: the truth about which version is live."""

    def announce(self, tenant: Tenant, record: DocumentRecord) -> None:
        """Note that an upload is expected; a document that exists is left as it is."""
        ...

    def begin(self, document: DocumentVersion) -> bool:
        """Note that this version is being ingested. False where a newer version or deletion is known."""
        ...

    def publish(self, document: DocumentVersion, *, title: str, passages: int) -> int | None:
        """Make this version the live one and raise the corpus version, in one transaction; return it.

        None where a newer version or a deletion won. Publishing the live version again changes nothing.
        """
        ...

    def refuse(self, document: DocumentVersion, *, reason: str, message: str) -> bool:
        """Note why this version can't be searched; an earlier live version stays live.

        False where something newer is known, or this very version is live.
        """
        ...

    def hide(self, tenant: Tenant, document_id: str) -> DocumentRecord:
        """Hide a document from every search at once, ahead of its deletion; `NotFoundError` if absent."""
        ...

    def close(self, document: DocumentVersion) -> int:
        """Leave a tombstone at the deletion's sequence and raise the corpus version; return it."""
        ...

    def get(self, tenant: Tenant, document_id: str) -> DocumentRecord:
        """Return the document, or raise `NotFoundError`; a deleted one is not found."""
        ...

    def list(self, tenant: Tenant, *, limit: int, after: str | None) -> list[DocumentRecord]:
        """Return documents by id, after `after`, without deleted ones."""
        ...

    def live_generations(self, tenant: Tenant, document_ids: Iterable[str]) -> dict[str, str]:
        """Return the live generation of each document that has one and is not hidden."""
        ...

    def corpus_version(self, tenant: Tenant) -> int:
        """Return the number that rises with every published change of the tenant's documents."""
        ...


class SourceObjects(Protocol):
    """The bucket that documents arrive in."""

    def upload_url(self, tenant: Tenant, name: str, *, content_type: str, size_bytes: int) -> str:
        """Return a URL that takes one PUT of exactly this size and type within `UPLOAD_SECONDS`."""
        ...

    def fetch(self, document: DocumentVersion) -> SourceObject:
        """Return this version's bytes, or raise `DocumentRefusedError` where it is gone."""
        ...

    def delete(self, tenant: Tenant, name: str) -> None:
        """Delete every version of the object, and let the bucket announce it."""
        ...


class WorkObjects(Protocol):
    """What the ingest steps hand to one another: by document version and name, expiring by itself."""

    def put(self, document: DocumentVersion, name: str, body: bytes) -> None:
        """Store bytes under the version."""
        ...

    def get(self, document: DocumentVersion, name: str) -> bytes:
        """Return the bytes, or raise `StoreUnavailableError`."""
        ...


class DocumentParser(Protocol):
    """Turns a file into text, isolated from everything else."""

    def parse(self, name: str, source: SourceObject) -> ParsedDocument:
        """Return its text; raise `DocumentRefusedError` with the reason."""
        ...


class DeadLetters(Protocol):
    """Where documents go that could not be ingested."""

    def send(self, document: DocumentVersion, *, reason: str, message: str) -> None:
        """Queue the document with its reason."""
        ...


class Tenants(Protocol):
    """Keys, tenants and tiers."""

    def key(self, key_id: str) -> KeyRecord | None:
        """Return the key, or None."""
        ...

    def tier(self, tenant: Tenant) -> Tier:
        """Return what the tenant may use, or raise `UnauthenticatedError` for a tenant that was removed."""
        ...


class Limits(Protocol):
    """What a tenant's runs may take at once: requests exactly, tokens by estimate, places for running runs."""

    def admit(self, run: Run, tier: Tier, *, tokens: int) -> Admission:
        """Take a request, the estimated `tokens` and a place for the run, or nothing of any and say which refused."""
        ...

    def ended(self, run: Run, *, used_tokens: int | None) -> None:
        """Give the run's place back and count the tokens that it used (None: as estimated), once. Never raises."""
        ...

    def left(self, tenant: Tenant, tier: Tier) -> tuple[Left, ...]:
        """Return what is left of each limit that the tier has; for showing, since only `admit` decides."""
        ...


class Ledger(Protocol):
    """Budgets that are never overspent: money is set aside before a model call and settled after it.

    Any method may raise `StoreUnavailableError` and be repeated; what was done already is not done again.
    """

    def reserve(self, asked: Reservation, budgets: Sequence[Budget]) -> Reservation:
        """Set the amount aside in every budget or none, once per (run id, epoch, attempt); return the reservation.

        `BudgetExceededError` where a budget has less left.
        """
        ...

    def start(self, reservation: Reservation) -> bool:
        """Return whether this caller may make the call; it is True for one caller, and only before the sweep."""
        ...

    def settle(self, reservation: Reservation, *, cost_micro_usd: int) -> None:
        """Spend what a started call cost and give back the rest; late, after the sweep charged it, too."""
        ...

    def release(self, reservation: Reservation) -> None:
        """Give back the amount of a reservation that was not started."""
        ...

    def sweep(self, *, limit: int) -> Swept:
        """End at most about `limit` reservations whose time is over: give back, or charge what was started."""
        ...

    def left(self, budgets: Sequence[Budget]) -> list[BudgetLeft]:
        """Return how the budgets stand, in order; for showing, since only `reserve` decides."""
        ...


class Machines(Protocol):
    """Starts state machines."""

    def start_answer(self, run: Run) -> None:
        """Start the answer machine for an accepted run."""
        ...

    def start_ingest(self, document: DocumentVersion) -> None:
        """Start the ingest machine, once per version."""
        ...

    def start_erase(self, document: DocumentVersion) -> None:
        """Start the erase machine, once per deletion."""
        ...


class Inferences(Protocol):
    """The queue of an asynchronous endpoint."""

    def start(self, inference_id: str, tenant: Tenant, body: bytes) -> None:
        """Queue a request, which ends in a message that carries the id; `StoreUnavailableError` if it is not taken."""
        ...


class PendingInferences(Protocol):
    """Who waits for which inference: a task token has no place in the endpoint's own message."""

    def begin(self, inference_id: str, *, task_token: str) -> PendingInference:
        """Let this token wait, in place of any before it; return what is known of the inference."""
        ...

    def mark_queued(self, inference_id: str) -> None:
        """Note that the endpoint has taken the request."""
        ...

    def end(self, inference_id: str, outcome: InferenceOutcome) -> PendingInference | None:
        """Keep the outcome unless there is one; return what is known, or None where nobody began it."""
        ...


class Callbacks(Protocol):
    """Wakes states that wait for their task token."""

    def succeed(self, task_token: str, output: Mapping[str, object]) -> bool:
        """Give the state its output; False where nobody waits any more."""
        ...

    def fail(self, task_token: str, *, error: str, cause: str) -> bool:
        """Fail the state under an error name; False where nobody waits any more."""
        ...
