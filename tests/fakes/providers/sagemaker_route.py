"""How a script sounds on the OpenAI route of a SageMaker endpoint, which answers itself where no copy runs."""

import json

from tests.fakes.providers import openai_chat, sagemaker_runtime
from tests.fakes.providers.openai_chat import COMMENT, error_event, events, garbled, told
from tests.fakes.providers.scripts import Fault

__all__ = ["COMMENT", "error_event", "events", "garbled", "refusal", "told"]


def refusal(fault: Fault) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body."""
    if fault.code == "no_copies":
        return 400, {}, json.dumps({"message": sagemaker_runtime.NO_COPIES}).encode()
    return openai_chat.refusal(fault)
