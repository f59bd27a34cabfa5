"""How a model call fails."""

from plinth.contracts.models import Usage
from plinth.errors.faults import PlinthError


class ModelError(PlinthError):
    """A model call failed. `reason` is the code that the caller reads in the run's failure.

    `begun` says that the model may have worked, and so may be billed; `usage` is its bill where it told one.
    """

    reason = "model_failed"
    begun = False

    def __init__(self, message: str, *, usage: Usage | None = None) -> None:
        super().__init__(message)
        self.usage = usage


class ModelBusyError(ModelError):
    """The provider asks to come back later; `retry_after_seconds` is its wish, or None."""

    reason = "model_busy"

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ModelWakingError(ModelBusyError):
    """A self-hosted endpoint runs no copy yet: this call asked for one, which takes minutes."""

    reason = "model_waking"


class ModelBreakerOpenError(ModelBusyError):
    """The model failed too often just now: nobody asks it until `retry_after_seconds` are over."""

    reason = "breaker_open"


class ModelUnavailableError(ModelError):
    """The provider could not be reached, or failed on its side before it began to answer."""

    reason = "model_unavailable"


class ModelCancelledError(ModelError):
    """Nobody wants the answer any more: the model was hung up on, or not asked."""

    reason = "cancelled"
    begun = True


class ModelSilentError(ModelError):
    """The model said nothing, or nothing more, within the time that it has for it."""

    reason = "model_silent"
    begun = True


class ModelStreamCutError(ModelError):
    """The stream broke before a stop reason: what was received is never a whole answer."""

    reason = "model_stream_cut"
    begun = True


class ModelReplyInvalidError(ModelError):
    """The model ended, but what it said is no answer: empty, too long, malformed, or a tool call nobody can run."""

    reason = "model_reply_invalid"
    begun = True


class ModelOutputSpentError(ModelReplyInvalidError):
    """The model used all tokens that its answer may have and said nothing: the same call would end like that again."""

    reason = "model_output_spent"


class ModelContextExceededError(ModelError):
    """The prompt is longer than the model can read; another model may read it."""

    reason = "model_context_exceeded"


class ModelRequestRefusedError(ModelError):
    """The provider refuses the request (not allowed, malformed); a retry can't help."""

    reason = "model_request_refused"


class ModelKeyRefusedError(ModelError):
    """The provider refuses the key: wrong, withdrawn, or just rotated. The next call reads the secret again."""

    reason = "model_key_refused"


class ModelNotConfiguredError(ModelError):
    """The environment has no key or endpoint for the model."""

    reason = "model_not_configured"
