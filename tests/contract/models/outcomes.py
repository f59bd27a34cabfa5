"""What the scripts of the scripted providers must come to, which the fake model says and adapters find out."""

from plinth.contracts.models import ModelEnd, Working
from plinth.errors import (
    ModelBusyError,
    ModelContextExceededError,
    ModelError,
    ModelKeyRefusedError,
    ModelReplyInvalidError,
    ModelRequestRefusedError,
    ModelSilentError,
    ModelStreamCutError,
    ModelUnavailableError,
    ModelWakingError,
)
from tests.fakes.models import Turn
from tests.fakes.providers import Fault, Script

_OF_KIND: dict[str, type[ModelError]] = {
    "silent": ModelSilentError,
    "slow_first": ModelSilentError,
    "stall": ModelSilentError,
    "drip": ModelSilentError,
    "cut": ModelStreamCutError,
    "end": ModelStreamCutError,
    "hang_up": ModelStreamCutError,
    "garbled": ModelReplyInvalidError,
    "wrong_type": ModelReplyInvalidError,
    "oversized": ModelReplyInvalidError,
    "long_line": ModelReplyInvalidError,
}
_OF_CODE: dict[str, type[ModelError]] = {
    "too_long": ModelContextExceededError,
    "no_credit": ModelKeyRefusedError,
    "no_copies": ModelWakingError,
}
_OF_STATUS: dict[int, type[ModelError]] = {
    400: ModelRequestRefusedError,
    401: ModelKeyRefusedError,
    403: ModelKeyRefusedError,
    404: ModelRequestRefusedError,
    503: ModelBusyError,
    529: ModelBusyError,
}


def turn_of(script: Script) -> Turn:
    """Return what a model says whose provider plays this script."""
    if script.fault is not None:
        return (), _error(script.fault)
    items: tuple[str | Working, ...] = (*(Working() for _ in (*script.thinking, *script.tool_calls)), *script.text)
    if script.stop_word is not None:
        return items, ModelStreamCutError("an unknown reason to stop", usage=script.usage)
    return items, ModelEnd(stop_reason=script.stop, usage=script.usage, tool_calls=script.tool_calls)


def _error(fault: Fault) -> ModelError:
    if fault.kind == "error_event":
        return ModelBusyError("busy") if fault.at == 0 and fault.code == "busy" else ModelStreamCutError("broke off")
    if fault.kind != "status":
        return _OF_KIND[fault.kind](fault.kind)
    if fault.status == 429 and fault.code != "no_credit":
        return ModelBusyError("busy", float(fault.retry_after) if fault.retry_after else None)
    return (_OF_CODE.get(fault.code) or _OF_STATUS.get(fault.status, ModelUnavailableError))(str(fault.status))
