"""How a script sounds behind a SageMaker endpoint: chat events in frames that split them."""

import json

from local.models.eventstream import payload_part
from tests.fakes.providers import openai_chat
from tests.fakes.providers.scripts import Fault, Script

COMMENT = payload_part(b"")
_OWN = {429: "ThrottlingException", 401: "UnrecognizedClientException", 403: "AccessDeniedException"}
NO_COPIES = "Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress"

told = openai_chat.told


def refusal(fault: Fault) -> tuple[int, dict[str, str], bytes]:
    """Return SageMaker's own refusal, or the 424 that carries what its container answered."""
    if fault.code == "no_copies":
        return 400, {"x-amzn-errortype": "ValidationError"}, json.dumps({"Message": NO_COPIES}).encode()
    if fault.status in _OWN:
        body = json.dumps({"Message": "hidden words"}).encode()
        return fault.status, {"x-amzn-errortype": _OWN[fault.status]}, body
    original = openai_chat.refusal(fault)[2].decode()
    body = json.dumps({"Message": original, "OriginalStatusCode": fault.status, "OriginalMessage": original}).encode()
    return 424, {"x-amzn-errortype": "ModelError"}, body


def error_event(fault: Fault) -> bytes:
    """Return an error within a stream, as the container says it."""
    return payload_part(openai_chat.error_event(fault))


def garbled() -> bytes:
    """Return an event whose data is no JSON."""
    return payload_part(openai_chat.garbled())


def events(script: Script, model: str) -> list[bytes]:
    """Return the stream, an event at a time: two frames, the first of which ends in the middle of the event."""
    whole = openai_chat.events(script, model)
    return [payload_part(each[: len(each) // 2]) + payload_part(each[len(each) // 2 :]) for each in whole]
