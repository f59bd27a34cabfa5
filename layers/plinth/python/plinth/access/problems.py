"""How an error is told to a caller: as a problem document (RFC 9457) with a stable code, never with internals."""

from dataclasses import dataclass, replace
from http import HTTPStatus

from plinth.access.admission import retry_after
from plinth.contracts.money import BudgetRefusal
from plinth.errors import (
    BudgetExceededError,
    InvalidFieldError,
    MethodNotAllowedError,
    OverloadedError,
    RateLimitedError,
    RequestError,
    TransientError,
    UnauthenticatedError,
)

PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A problem document: `code` is stable and for programs, `detail` is a sentence for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    limit: str | None = None
    budget: str | None = None
    left_micro_usd: int | None = None
    needed_micro_usd: int | None = None
    resets_at: int | None = None
    request_id: str | None = None


def problem_of(error: Exception, *, request_id: str) -> Problem:
    """Return what the caller may know of an error: all of a `RequestError`, the bare fact of any other."""
    if isinstance(error, RequestError):
        problem = _problem(error.status, error.code, str(error))
        field = error.field if isinstance(error, InvalidFieldError) else None
        limit = error.limit if isinstance(error, RateLimitedError) else None
        if isinstance(error, BudgetExceededError):
            return _over_budget(problem, error.refusal)
        return replace(problem, field=field, limit=limit)
    if isinstance(error, TransientError):
        return _problem(503, "unavailable", "a part that this request needs did not answer: try again in a moment")
    detail = f"something failed inside: tell the operator the request id {request_id}"
    return _problem(500, "internal_error", detail, request_id=request_id)


def _over_budget(problem: Problem, refusal: BudgetRefusal) -> Problem:
    """Say which budget is too small for the run, what is left of it, and the Unix time at which it starts anew."""
    return replace(
        problem,
        budget=f"{refusal.window} budget of {refusal.scope.label}",
        left_micro_usd=refusal.left_micro_usd,
        needed_micro_usd=refusal.needed_micro_usd,
        resets_at=refusal.resets_at,
    )


def problem_headers(error: Exception) -> dict[str, str]:
    """Return the header fields that belong to an error: when to come back, how to authenticate, what is allowed."""
    match error:
        case RateLimitedError() | OverloadedError():
            return {"Retry-After": str(retry_after(error.retry_after_seconds))}
        case TransientError():
            return {"Retry-After": "1"}
        case UnauthenticatedError():
            return {"WWW-Authenticate": "Bearer"}
        case MethodNotAllowedError():
            return {"Allow": error.allowed}
        case _:
            return {}


def problem_body(problem: Problem) -> dict[str, str | int]:
    """Return the document as JSON builtins, without the members that do not apply."""
    members = {name: getattr(problem, name) for name in Problem.__slots__}
    return {name: value for name, value in members.items() if value is not None}


def _problem(status: int, code: str, detail: str, *, request_id: str | None = None) -> Problem:
    return Problem(
        type=f"urn:plinth:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        request_id=request_id,
    )
