"""What a caller of the API is told: the status and the code of a problem document."""

from plinth.contracts.money import BudgetRefusal
from plinth.errors.faults import PlinthError


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


class ApprovalConflictError(RequestError):
    """The call that waits for approval is another one than the caller saw, or was decided otherwise."""

    status = 409
    code = "approval_conflict"


class ApprovalExpiredError(RequestError):
    """The time to decide is over; the model was told that nobody approved."""

    status = 410
    code = "approval_expired"


class NothingToRedriveError(RequestError):
    """The document was not refused, or it is being deleted: there is no try to repeat."""

    status = 409
    code = "nothing_to_redrive"


class ErasureUnderWayError(RequestError):
    """Somebody is being erased, and what is asked for would hold what goes with them."""

    status = 409
    code = "erasure_under_way"


class SyncConflictError(RequestError):
    """A pass of the sync is at work."""

    status = 409
    code = "sync_running"


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
