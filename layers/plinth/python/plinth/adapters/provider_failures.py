"""What a provider's refusal means: status, code and headers turned into one `ModelError`, for every protocol.

Codes were read in the providers' documentation and servers in November 2026. Only where a provider has no code for a
prompt that is too long (Anthropic, vLLM) or for credit that is used up (Anthropic) its words decide.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import msgspec

from plinth.errors import (
    ModelBusyError,
    ModelContextExceededError,
    ModelError,
    ModelKeyRefusedError,
    ModelRequestRefusedError,
    ModelStreamCutError,
    ModelUnavailableError,
    ModelWakingError,
)

_BUSY_STATUSES = frozenset({429, 503, 529})
_KEY_STATUSES = frozenset({401, 402, 403})
_BUSY_CODES = frozenset({"rate_limit_error", "overloaded_error", "rate_limit_exceeded", "429", "503", "529"})
_NO_CREDIT_CODES = frozenset({"insufficient_quota", "billing_error", "billing_hard_limit_reached"})
_TOO_LONG_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error"})
NO_COPIES = "has no capacity"
"""What alone tells a SageMaker component that is scaled to zero from a bad request (not verified on AWS)."""

_TOO_LONG_WORDS = ("prompt is too long", "maximum context length", "exceed context limit")
_NO_CREDIT_WORDS = "credit balance is too low"


class _Error(msgspec.Struct):
    type: object = None
    code: object = None
    message: object = None


class _Body(msgspec.Struct):
    """A provider's `error`, or the bare `message` of a SageMaker endpoint in front of it."""

    error: _Error | None = None
    message: str = ""
    Message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What a provider says when it does not answer. `codes` are its own words for why, `text` is for people."""

    status: int
    codes: frozenset[str] = frozenset()
    text: str = ""

    @property
    def name(self) -> str:
        """What may be logged: never the text, which can quote the prompt."""
        return " ".join([str(self.status), *sorted(self.codes)])


def read_refusal(status: int, body: bytes) -> Refusal:
    """Return the refusal of an HTTP answer whose body is `{"error": {...}}`, or anything else."""
    try:
        said = msgspec.json.decode(body, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal(status=status)
    return told(status, said.error) if said.error else Refusal(status=status, text=said.message or said.Message)


def told(status: int, error: object) -> Refusal:
    """Return the refusal that an error object `{type, code, message}` describes, whether or not it is whole."""
    try:
        said = msgspec.convert(error, _Error, from_attributes=True)
    except msgspec.ValidationError:
        return Refusal(status=status)
    codes = frozenset(str(each) for each in (said.type, said.code) if isinstance(each, str | int) and each)
    return Refusal(status=status, codes=codes, text=said.message if isinstance(said.message, str) else "")


def refused(refusal: Refusal, headers: Mapping[str, str]) -> ModelError:
    """Return what an answer without a stream means: nothing of it can have been billed."""
    what = f"the provider answered {refusal.name}"
    no_credit = refusal.codes & _NO_CREDIT_CODES or _NO_CREDIT_WORDS in refusal.text
    if no_credit or refusal.status in _KEY_STATUSES:
        return ModelKeyRefusedError(f"{what}: put a key that may use the model, and has credit, into its secret")
    if refusal.status in _BUSY_STATUSES or refusal.codes & _BUSY_CODES:
        return ModelBusyError(what, retry_after(headers))
    if NO_COPIES in refusal.text:
        return ModelWakingError(f"{what}: no copy of the model runs")
    if not 400 <= refusal.status < 500 or refusal.status == 408:
        return ModelUnavailableError(what)
    if refusal.codes & _TOO_LONG_CODES or any(words in refusal.text for words in _TOO_LONG_WORDS):
        return ModelContextExceededError(f"{what}: the prompt is longer than the model reads")
    return ModelRequestRefusedError(what)


def broken_off(refusal: Refusal, *, content: bool) -> ModelError:
    """Return what an error within a stream means: before any content a busy provider has done nothing yet."""
    if not content and refusal.codes & _BUSY_CODES:
        return ModelBusyError(f"the provider broke off with {refusal.name}")
    return ModelStreamCutError(f"the provider broke off with {refusal.name}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return in how many seconds the provider wants to be asked again, or None where it does not say."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is not None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
