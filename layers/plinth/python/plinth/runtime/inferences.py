"""Which inference a machine waits for, and whom its end is told: each is asked for once, and its first end stays.

A state that is tried again has a new task token: the token is replaced, the inference is not started twice. Whoever
of start and finish writes last has read what the other wrote, so one of them tells the machine; Step Functions takes
only the first telling.
"""

import hashlib

import msgspec

from plinth.contracts.inferring import (
    FinishInferenceInput,
    InferenceOutcome,
    PendingInference,
    StartInferenceCallback,
    StartInferenceInput,
)
from plinth.errors import ModelUnavailableError
from plinth.wiring import Services

COMPLETED = "Completed"


class _Response(msgspec.Struct, rename="camel"):
    output_location: str | None = None


class InferenceNotice(msgspec.Struct, rename="camel"):
    """What SageMaker publishes when an asynchronous inference has ended, as far as it decides.

    Source: Amazon SageMaker developer guide, "Check prediction results", read 2026-11.
    """

    inference_id: str
    invocation_status: str
    response_parameters: _Response = msgspec.field(default_factory=_Response)

    @property
    def outcome(self) -> InferenceOutcome:
        """The answer's place; an inference that is not completed has failed, whatever else it says."""
        completed = self.invocation_status == COMPLETED
        return InferenceOutcome(output_location=self.response_parameters.output_location if completed else None)


def inference_id(execution: str, attempt: int) -> str:
    """Return the same id for the same attempt of the same execution; SageMaker takes 64 characters at most."""
    return hashlib.sha256(f"{execution}\0{attempt}".encode()).hexdigest()[:40]


def start(request: StartInferenceInput, services: Services) -> bool:
    """Ask for the inference unless it was asked for; return whether this call did."""
    name = inference_id(request.execution, request.attempt)
    pending = services.pending_inferences.begin(name, task_token=request.task_token)
    if pending.outcome:
        _tell(pending, pending.outcome, services)
    if pending.queued or pending.outcome:
        return False
    services.inferences.start(name, request.tenant, msgspec.json.encode(request.body))
    services.pending_inferences.mark_queued(name)
    return True


def finish(request: FinishInferenceInput, services: Services) -> int:
    """Tell the machines that wait for the inferences which have ended, and return how many: others are nobody's."""
    told = 0
    for record in request.records:
        notice = msgspec.json.decode(record.sns.message, type=InferenceNotice)
        pending = services.pending_inferences.end(notice.inference_id, notice.outcome)
        if pending and pending.outcome:
            told += _tell(pending, pending.outcome, services)
    return told


def _tell(pending: PendingInference, outcome: InferenceOutcome, services: Services) -> bool:
    if outcome.output_location is None:
        cause = "SageMaker says that the inference failed; its log and the failure output say why"
        return services.callbacks.fail(pending.task_token, error=ModelUnavailableError.__name__, cause=cause)
    result = StartInferenceCallback(output_location=outcome.output_location)
    return services.callbacks.succeed(pending.task_token, {"result": msgspec.to_builtins(result)})
