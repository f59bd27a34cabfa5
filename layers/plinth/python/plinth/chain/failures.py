"""What a caller reads when a run or a document fails: a stable reason, and what to do about it.

Step Functions names a failure by its class; the text of a cause is for the operator's log, except for a document's
own refusal, whose message was written for its owner.
"""

from dataclasses import replace

import msgspec

from plinth import errors
from plinth.contracts.runs import Failure

_TIMED_OUT = Failure(reason="timed_out", message="a step took longer than its limit; ask again")
_DIED = Failure(reason="function_lost", message="a function died while it worked on this; ask again")
_UNAVAILABLE = Failure(reason="unavailable", message="a store did not answer after several tries; ask again later")
_OVER_BUDGET = Failure(
    reason=errors.BudgetExceededError.code,
    message="the call may cost more than is left of a budget, as the receipt says: wait for its reset or raise it",
)
_DOCUMENT_OVER_BUDGET = replace(
    _OVER_BUDGET,
    message="its contexts may cost more than is left of a budget: wait for its reset or raise it, then redrive it",
)
_NO_ANSWER = Failure(
    reason=errors.ToolTurnsSpentError.code,
    message="the model kept asking for tools and gave no answer; ask in other words, for less, or without tools",
)
_INTERNAL = Failure(reason="internal", message="the run failed inside Plinth; the run id finds its log")
_MODEL_MESSAGES: dict[type[errors.ModelError], str] = {
    errors.ModelBusyError: "the model takes no more requests just now; ask again later",
    errors.ModelWakingError: "the self-hosted model is being started, which takes minutes; ask again later",
    errors.ModelBreakerOpenError: "the model failed too often just now; ask again later or name another model",
    errors.ModelUnavailableError: "the model did not answer; ask again later or name another model",
    errors.ModelCancelledError: "the run was cancelled, as was asked",
    errors.ModelSilentError: "the model took too long; ask again later or name another model",
    errors.ModelStreamCutError: "the model's answer broke off and no further try succeeded; ask again",
    errors.ModelReplyInvalidError: "the model gave no usable answer; ask in other words or name another model",
    errors.ModelOutputSpentError: (
        "the model used up max_output_tokens before it said a word, thinking included; raise it or name another model"
    ),
    errors.ModelContextExceededError: "the question is too long for the model; shorten it or name another model",
    errors.ModelRequestRefusedError: "the model's provider refuses this request; change it or name another model",
    errors.ModelKeyRefusedError: "the model's provider refuses this environment's key; name another model",
    errors.ModelNotConfiguredError: "this environment has no key or endpoint for that model; name another model",
}
_BY_NAME = {
    "States.Timeout": _TIMED_OUT,
    "Sandbox.Timedout": _TIMED_OUT,
    "Runtime.ExitError": _DIED,
    "Lambda.Unknown": _DIED,
    errors.BudgetExceededError.__name__: _OVER_BUDGET,
    errors.ToolTurnsSpentError.__name__: _NO_ANSWER,
    **{error.__name__: _UNAVAILABLE for error in errors.TransientError.__subclasses__()},
    **{error.__name__: Failure(reason=error.reason, message=text) for error, text in _MODEL_MESSAGES.items()},
}


class _Cause(msgspec.Struct):
    error_message: str = msgspec.field(name="errorMessage", default="")


def run_failure(error: str) -> Failure:
    """Return what the caller of a run reads for the error name that a Catch was given."""
    return _BY_NAME.get(error, _INTERNAL)


def document_failure(error: str, cause: str) -> Failure:
    """Return what a document's owner reads: its refusal in the reader's own words, or what failed in Plinth."""
    if error == errors.BudgetExceededError.__name__:
        return _DOCUMENT_OVER_BUDGET
    if error != errors.DocumentRefusedError.__name__:
        known = _BY_NAME.get(error, _INTERNAL)
        return Failure(reason=known.reason, message=known.message.replace("ask again", "upload it again"))
    reason, _, message = _message(cause).partition(": ")
    return Failure(reason=reason, message=message)


def _message(cause: str) -> str:
    try:
        return msgspec.json.decode(cause, type=_Cause).error_message
    except msgspec.DecodeError:
        return f"refused: {cause}"
