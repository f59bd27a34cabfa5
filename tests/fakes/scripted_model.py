"""A model in process that plays the scripts of the scripted providers, with the outcomes that adapters must have."""

from collections.abc import Iterator

from plinth.contracts.models import ModelEnd, ModelRequest, StreamItem, TextChunk, Working
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


class ScriptedModel:
    """`LanguageModel` that plays one script per call, the last of them from then on. It never waits: it says so."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = list(scripts)
        self.requests: list[ModelRequest] = []

    def stream(self, request: ModelRequest) -> Iterator[StreamItem]:
        self.requests.append(request)
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        if script.fault is not None:
            raise _error(script.fault)
        yield from (Working() for _ in (*script.thinking, *script.tool_calls))
        yield from (TextChunk(text=text) for text in script.text)
        if script.stop_word is not None:
            raise ModelStreamCutError("an unknown reason to stop", usage=script.usage)
        yield ModelEnd(stop_reason=script.stop, usage=script.usage, tool_calls=script.tool_calls)


def _error(fault: Fault) -> ModelError:
    if fault.kind == "error_event":
        return ModelBusyError("busy") if fault.at == 0 and fault.code == "busy" else ModelStreamCutError("broke off")
    if fault.kind != "status":
        return _OF_KIND[fault.kind](fault.kind)
    if fault.status == 429 and fault.code != "no_credit":
        return ModelBusyError("busy", float(fault.retry_after) if fault.retry_after else None)
    return (_OF_CODE.get(fault.code) or _OF_STATUS.get(fault.status, ModelUnavailableError))(str(fault.status))
