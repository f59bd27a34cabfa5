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
│   │   └── ModelOutputSpentError        spent its output tokens before it said a word
│   ├── ModelContextExceededError    the prompt is longer than the model can read
│   ├── ModelRequestRefusedError     the provider refuses the request itself; a retry can't help
│   ├── ModelKeyRefusedError         the provider refuses the key
│   └── ModelNotConfiguredError      this environment has no key or endpoint for the model
├── ToolTurnsSpentError          a model asks for tools in every turn that it has
├── DocumentRefusedError         a document can't be ingested; carries the reason for the dead letter
├── SourceUnreadableError        a bucket can't be synced; the message says what its owner must grant
├── PageUnreadableError          a page of the web can't be read, or must not be
├── ReservationStateError        a reservation is not in the state that this needs: a step was left out
├── ContentMissingError          a step asks for what no step before it handed on
├── ContextsLostError            contexts were paid for and could not be kept
├── RecordUnreadableError        a stored row is damaged, or of a later version
├── SettingMissingError          a function lacks an environment variable that its stack must set
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
    ├── ApprovalConflictError        409
    ├── NothingToRedriveError        409
    ├── ErasureUnderWayError         409
    ├── SyncConflictError            409
    ├── ApprovalExpiredError         410
    ├── RequestTooLargeError         413
    ├── UnsupportedContentTypeError  415
    ├── RateLimitedError             429, carries `retry_after_seconds` and the `limit`
    └── ServiceUnavailableError      503
        └── OverloadedError              503, carries `retry_after_seconds`
"""

from plinth.errors.faults import (
    ContentMissingError,
    ContextsLostError,
    DocumentRefusedError,
    MemoryUnavailableError,
    PageUnreadableError,
    PassagesNotVisibleError,
    PlinthError,
    RecordUnreadableError,
    ReservationStateError,
    RunSupersededError,
    SettingMissingError,
    SourceUnreadableError,
    StoreUnavailableError,
    ToolTurnsSpentError,
    TransientError,
)
from plinth.errors.models import (
    ModelBreakerOpenError,
    ModelBusyError,
    ModelCancelledError,
    ModelContextExceededError,
    ModelError,
    ModelKeyRefusedError,
    ModelNotConfiguredError,
    ModelOutputSpentError,
    ModelReplyInvalidError,
    ModelRequestRefusedError,
    ModelSilentError,
    ModelStreamCutError,
    ModelUnavailableError,
    ModelWakingError,
)
from plinth.errors.requests import (
    ApprovalConflictError,
    ApprovalExpiredError,
    BudgetExceededError,
    ErasureUnderWayError,
    IdempotencyConflictError,
    InvalidFieldError,
    InvalidRequestError,
    MethodNotAllowedError,
    MissingScopeError,
    NotFoundError,
    NothingToRedriveError,
    OverloadedError,
    RateLimitedError,
    RequestError,
    RequestTooLargeError,
    ServiceUnavailableError,
    SyncConflictError,
    UnauthenticatedError,
    UnsupportedContentTypeError,
)

__all__ = [
    "ApprovalConflictError",
    "ApprovalExpiredError",
    "BudgetExceededError",
    "ContentMissingError",
    "ContextsLostError",
    "DocumentRefusedError",
    "ErasureUnderWayError",
    "IdempotencyConflictError",
    "InvalidFieldError",
    "InvalidRequestError",
    "MemoryUnavailableError",
    "MethodNotAllowedError",
    "MissingScopeError",
    "ModelBreakerOpenError",
    "ModelBusyError",
    "ModelCancelledError",
    "ModelContextExceededError",
    "ModelError",
    "ModelKeyRefusedError",
    "ModelNotConfiguredError",
    "ModelOutputSpentError",
    "ModelReplyInvalidError",
    "ModelRequestRefusedError",
    "ModelSilentError",
    "ModelStreamCutError",
    "ModelUnavailableError",
    "ModelWakingError",
    "NotFoundError",
    "NothingToRedriveError",
    "OverloadedError",
    "PageUnreadableError",
    "PassagesNotVisibleError",
    "PlinthError",
    "RateLimitedError",
    "RecordUnreadableError",
    "RequestError",
    "RequestTooLargeError",
    "ReservationStateError",
    "RunSupersededError",
    "ServiceUnavailableError",
    "SettingMissingError",
    "SourceUnreadableError",
    "StoreUnavailableError",
    "SyncConflictError",
    "ToolTurnsSpentError",
    "TransientError",
    "UnauthenticatedError",
    "UnsupportedContentTypeError",
]
