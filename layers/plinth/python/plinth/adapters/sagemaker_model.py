"""How a model behind a SageMaker endpoint is asked, within a time limit, and what its failures mean."""

import importlib
from collections.abc import Generator, Iterator
from contextlib import closing
from functools import cache, partial
from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.eventstream import ParserError
from botocore.exceptions import BotoCoreError, ClientError, EventStreamError
from urllib3.exceptions import HTTPError

from plinth.adapters.aws_calls import error_code
from plinth.adapters.chat_chunks import chat_body, read_chat
from plinth.adapters.model_deadline import within
from plinth.contracts.models import ModelEnd, ModelRequest, TextChunk
from plinth.errors import (
    ModelBusyError,
    ModelError,
    ModelRequestRefusedError,
    ModelStreamCutError,
    ModelUnavailableError,
)

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

# One attempt, because only the step tries again; 120 s of silence end a call whose own limit is later.
MODEL_CALLS = Config(connect_timeout=2, read_timeout=120, retries={"total_max_attempts": 1})

_BUSY_CODES = frozenset({"ModelNotReadyException", "ThrottlingException", "TooManyRequestsException"})
_BUSY_STATUSES = frozenset({429, 503})
_NO_COPIES = "has no capacity"  # what alone tells a component scaled to zero from a bad request (not verified on AWS)


class SageMakerModel:
    """`LanguageModel` over one endpoint that takes OpenAI chat bodies: llama.cpp, vLLM or LMI.

    `component` names the inference component of an endpoint that scales to zero (not verified on AWS).
    """

    def __init__(
        self, endpoint: str, *, component: str | None = None, client: "SageMakerRuntimeClient | None" = None
    ) -> None:
        self._target = {"EndpointName": endpoint} | ({"InferenceComponentName": component} if component else {})
        self._client = client or connect()

    def stream(self, request: ModelRequest) -> Iterator[TextChunk | ModelEnd]:
        """Yield text as it comes and one `ModelEnd` last, all within the limits; raise `ModelError`."""
        return read_chat(within(request.limits.total_seconds, partial(self._read, chat_body(request))))

    def _read(self, body: bytes) -> Generator[bytes]:
        """Yield the answer's pieces. To close this early makes the model stop."""
        try:
            answer = self._client.invoke_endpoint_with_response_stream(
                **self._target, ContentType="application/json", Body=body
            )
            with closing(answer["Body"]) as events:
                for event in events:
                    yield event.get("PayloadPart", {}).get("Bytes", b"")
        except (EventStreamError, HTTPError, ParserError) as error:
            raise ModelStreamCutError(f"the model's stream broke off: {type(error).__name__}") from error
        except ClientError as error:
            raise _refusal(error) from error
        except BotoCoreError as error:
            raise ModelUnavailableError(f"the endpoint did not answer: {type(error).__name__}") from error


@cache
def connect() -> "SageMakerRuntimeClient":
    """Return the process's client of the SageMaker runtime."""
    # The stubs leave boto3.client partly unknown wherever one service's stubs are missing.
    client: SageMakerRuntimeClient = importlib.import_module("boto3").client("sagemaker-runtime", config=MODEL_CALLS)
    return client


def _refusal(error: ClientError) -> ModelError:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    if code == "ModelError":
        original = error.response.get("OriginalStatusCode")
        status = original if isinstance(original, int) else 500
    what = f"the endpoint answered {code} with status {status}"
    no_copies = code == "ValidationError" and _NO_COPIES in error.response.get("Error", {}).get("Message", "")
    if code in _BUSY_CODES or status in _BUSY_STATUSES or no_copies:
        return ModelBusyError(what)
    return ModelUnavailableError(what) if status >= 500 else ModelRequestRefusedError(what)
