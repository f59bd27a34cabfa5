"""FinishInference: wake the machines that wait for inferences which have ended."""

from plinth.contracts import FinishInferenceInput, FinishInferenceOutput
from plinth.runtime import step
from plinth.runtime.inferences import finish
from plinth.wiring import Services


def finish_inference(request: FinishInferenceInput, services: Services) -> FinishInferenceOutput:
    """Take what the endpoint published; a message that comes twice, late or for nobody has no effect."""
    return FinishInferenceOutput(told=finish(request, services))


handler = step(finish_inference)
