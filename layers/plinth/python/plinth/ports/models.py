"""What answers and what turns text into vectors: models behind an API, their health and their long calls."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from plinth.contracts.inferring import InferenceOutcome, PendingInference
from plinth.contracts.models import Breaker, ModelRequest, StreamItem
from plinth.contracts.tenant import Tenant


class Embedder(Protocol):
    """Turns text into unit vectors whose dot product is the cosine similarity."""

    @property
    def model_id(self) -> str:
        """Name the model: vectors of different models can't be compared."""
        ...

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector per text, in order."""
        ...


class TokenCounter(Protocol):
    """Counts as the embedding model does, without the marks that it puts around a text."""

    @property
    def window(self) -> int:
        """How many tokens of a text have an effect on its vector."""
        ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text. No token crosses a space or a line break: what they part adds up."""
        ...


class Reranker(Protocol):
    """A cross-encoder: it reads a question and a passage together, which is slower and more exact than two vectors."""

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return how well each text answers, in their order, larger is better; `MemoryUnavailableError` else."""
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
