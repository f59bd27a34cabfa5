"""What goes into and comes out of a long inference on an asynchronous endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from plinth.contracts.tenant import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class StartInferenceInput:
    """`body` is what the endpoint's container reads: an OpenAI chat completion, not streamed.

    `execution` and `attempt` name the inference, so that a start which is tried again asks for no second one.
    """

    tenant: Tenant
    body: Mapping[str, object]
    execution: str
    attempt: int
    task_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartInferenceOutput:
    """Whether this call queued the inference. The machine never sees it: it waits for `StartInferenceCallback`."""

    queued: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StartInferenceCallback:
    """What the machine gets when the inference has ended well: the S3 URI of the container's answer."""

    output_location: str


class SnsMessage(msgspec.Struct, frozen=True, rename="pascal"):
    """What was published: JSON, as text."""

    message: str


class SnsRecord(msgspec.Struct, frozen=True, rename="pascal"):
    """One message, as SNS wraps it."""

    sns: SnsMessage


class FinishInferenceInput(msgspec.Struct, frozen=True, rename="pascal"):
    """What SNS hands to a function."""

    records: tuple[SnsRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishInferenceOutput:
    """How many machines were told: SNS takes no notice of it."""

    told: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceOutcome:
    """How an inference ended: the S3 URI of its answer, or None where it failed."""

    output_location: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingInference:
    """What is kept of an inference: who waits for it, whether the endpoint was asked, and how it ended."""

    task_token: str
    queued: bool = False
    outcome: InferenceOutcome | None = None
