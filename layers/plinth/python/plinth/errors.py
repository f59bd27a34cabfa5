"""What can go wrong, named once: the class says whether a retry may help, where the error is raised.

PlinthError
├── TransientError               a retry may help: every one is retried by name in the state machines
│   ├── StoreUnavailableError        DynamoDB or S3 throttled, or did not answer
│   ├── MemoryUnavailableError       the search engine throttled, or did not answer
│   └── PassagesNotVisibleError      indexed passages are not searchable yet
├── ModelError                   a model call failed; `usage` is what is known to be billed
│   ├── ModelBusyError               back-pressure: try again after `retry_after_seconds`
│   │   ├── ModelWakingError             a self-hosted endpoint runs no copy yet
│   │   └── ModelBreakerOpenError        failed too often just now: it is not even asked
│   ├── ModelUnavailableError        could not be reached, or failed on its side before it answered
│   ├── ModelCancelledError          nobody wants the answer any more
│   ├── ModelSilentError             said nothing, or nothing more, for too long
│   ├── ModelStreamCutError          the stream broke before the model said why it stopped
│   ├── ModelReplyInvalidError       ended, but with what is no answer
│   ├── ModelContextExceededError    the prompt is longer than the model can read
│   ├── ModelRequestRefusedError     the provider refuses the request itself; a retry can't help
│   ├── ModelKeyRefusedError         the provider refuses the key
│   └── ModelNotConfiguredError      this environment has no key or endpoint for the model
├── ToolTurnsSpentError          a model asks for tools in every turn that it has
├── DocumentRefusedError         a document can't be ingested; carries the reason for the dead letter
├── ReservationStateError        a reservation is not in the state that this needs: a step was left out
├── ContentMissingError          a step asks for what no step before it handed on
├── RunSupersededError           another execution owns the run; this one must stop silently
└── RequestError                 the caller's mistake or limit: a problem document with a status and a code
    ├── InvalidRequestError          400
    │   └── InvalidFieldError            400, carries the `field`
    ├── UnauthenticatedError         401
    ├── BudgetExceededError          402, carries the `refusal`: which budget, what is left, when it resets
    ├── MissingScopeError            403
    ├── NotFoundError                404 (a foreign id is as absent as an unknown one)
    ├── MethodNotAllowedError        405, carries what is `allowed`
    ├── IdempotencyConflictError     409
    ├── RequestTooLargeError         413
    ├── UnsupportedContentTypeError  415
    ├── RateLimitedError             429, carries `retry_after_seconds` and the `limit`
    └── ServiceUnavailableError      503
        └── OverloadedError              503, carries `retry_after_seconds`
"""

from plinth.contracts.models import Usage
from plinth.contracts.money import BudgetRefusal


class PlinthError(Exception):
    """Base of every error that Plinth raises on purpose."""


class TransientError(PlinthError):
    """A dependency failed in a way that a later try may not."""


class StoreUnavailableError(TransientError):
    """DynamoDB or S3 throttled the call or did not answer in time."""


class MemoryUnavailableError(TransientError):
    """The search engine throttled the call or did not answer in time."""


class PassagesNotVisibleError(TransientError):
    """Passages were written but a search does not count all of them yet."""


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


class ToolTurnsSpentError(PlinthError):
    """The model asks for tools again in its last turn."""

    code = "tool_turns_spent"


class DocumentRefusedError(PlinthError):
    """A document can't be ingested: `reason` is a stable code, the message says what to do about it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class ReservationStateError(PlinthError):
    """A reservation is settled without a start, released after one, or gone: the caller left a step out."""


class ContentMissingError(PlinthError):
    """A step asks for what no step before it handed on: the machine runs the steps in a wrong order."""


class RunSupersededError(PlinthError):
    """Another execution owns the run; whatever this one still does must have no effect."""


class RequestError(PlinthError):
    """A request that is answered with a problem document (RFC 9457)."""

    status = 400
    code = "invalid_request"


class InvalidRequestError(RequestError):
    """A field of the request is wrong; the message names the field and the remedy."""


class InvalidFieldError(InvalidRequestError):
    """One field of the request is wrong; the problem document names it in `field`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class UnauthenticatedError(RequestError):
    """No key, or one that is not in force."""

    status = 401
    code = "unauthenticated"


class BudgetExceededError(RequestError):
    """A call may cost more than is left of a budget; `refusal` says of which, how much is left, and until when."""

    status = 402
    code = "budget_exceeded"

    def __init__(self, refusal: BudgetRefusal) -> None:
        budget = f"the {refusal.window} budget of {refusal.scope.label}"
        left, needed = (_dollars(amount) for amount in (refusal.left_micro_usd, refusal.needed_micro_usd))
        super().__init__(f"{budget} has ${left} left and this call may cost ${needed}: wait for its reset or raise it")
        self.refusal = refusal


def _dollars(micro_usd: int) -> str:
    return f"{micro_usd // 1_000_000}.{micro_usd % 1_000_000:06d}"


class MissingScopeError(RequestError):
    """The key is in force but was not made for this."""

    status = 403
    code = "missing_scope"


class NotFoundError(RequestError):
    """Nothing of that name within the caller's tenant."""

    status = 404
    code = "not_found"


class MethodNotAllowedError(RequestError):
    """The route exists, but not for this method."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, *, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


class IdempotencyConflictError(RequestError):
    """The Idempotency-Key was used before with another body."""

    status = 409
    code = "idempotency_conflict"


class RequestTooLargeError(RequestError):
    """The request is over a size limit; the message names the limit."""

    status = 413
    code = "too_large"


class UnsupportedContentTypeError(RequestError):
    """The body is not said to be JSON."""

    status = 415
    code = "unsupported_content_type"


class RateLimitedError(RequestError):
    """A limit is reached: the tenant's of that name, or of none where a function protects itself."""

    status = 429
    code = "rate_limited"

    def __init__(self, message: str, *, retry_after_seconds: float, limit: str | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.limit = limit


class ServiceUnavailableError(RequestError):
    """A part that the request needs did not answer; trying again later may help."""

    status = 503
    code = "unavailable"


class OverloadedError(ServiceUnavailableError):
    """The environment is nearly full, and its last places are kept for higher priorities."""

    code = "overloaded"

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
