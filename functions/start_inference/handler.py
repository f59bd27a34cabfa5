"""StartInference: queue one long inference, and leave word who waits for its end."""

from plinth.contracts import StartInferenceInput, StartInferenceOutput
from plinth.runtime import step
from plinth.runtime.inferences import start
from plinth.wiring import Services


def start_inference(request: StartInferenceInput, services: Services) -> StartInferenceOutput:
    """Return at once: the machine waits for its task token, which FinishInference gives back."""
    return StartInferenceOutput(queued=start(request, services))


handler = step(start_inference)
