"""How a model behind a SageMaker endpoint is asked, within its limits, and what its failures mean."""

import importlib
import math
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.eventstream import ParserError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own: nothing was sent
    EventStreamError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from plinth.adapters.aws_calls import ENDPOINT_BUSY_CODES, error_code
from plinth.adapters.chat_bodies import chat_body
from plinth.adapters.chat_chunks import read_chat
from plinth.adapters.model_deadline import Call, longest_silence, within
from plinth.adapters.provider_failures import Refusal, read_refusal, refused
from plinth.contracts.models import ModelRequest, StreamItem
from plinth.errors import (
    ModelBusyError,
    ModelError,
    ModelKeyRefusedError,
    ModelReplyInvalidError,
    ModelSilentError,
    ModelStreamCutError,
    ModelUnavailableError,
)

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

    Connect = Callable[[int], SageMakerRuntimeClient]

_CLIENTS_KEPT = 4  # the limits of a model are the same for most calls; only the end of a run's time makes others

_KEY_CODES = frozenset({"AccessDeniedException", "ExpiredTokenException", "UnrecognizedClientException"})


class SageMakerModel:
    """`LanguageModel` over one endpoint that takes OpenAI chat bodies: llama.cpp, vLLM or LMI.

    `component` names the inference component of an endpoint that scales to zero (not verified on AWS). `connect` gives
    a client that is patient for so many seconds.
    """

    def __init__(self, endpoint: str, *, component: str | None = None, connect: "Connect | None" = None) -> None:
        self._target = {"EndpointName": endpoint} | ({"InferenceComponentName": component} if component else {})
        self._connect = connect or _connect

    def stream(self, request: ModelRequest) -> Iterator[StreamItem]:
        """Yield text as it comes and one `ModelEnd` last, within the limits; raise `ModelError`."""
        return within(request.limits, partial(self._read, request))

    def _read(self, request: ModelRequest, call: Call) -> Generator[StreamItem]:
        client = self._connect(math.ceil(longest_silence(request.limits)))
        with closing(self._pieces(client, chat_body(request), call)) as pieces:
            yield from read_chat(pieces, max_output_tokens=request.max_output_tokens, tell=call.tell)

    def _pieces(self, client: "SageMakerRuntimeClient", body: bytes, call: Call) -> Generator[bytes]:
        try:
            answer = client.invoke_endpoint_with_response_stream(
                **self._target, ContentType="application/json", Body=body
            )
            with closing(answer["Body"]) as events, call.connected(partial(_hang_up, events)):
                for event in events:
                    yield event.get("PayloadPart", {}).get("Bytes", b"")
        except ParserError as error:
            raise ModelReplyInvalidError(f"the endpoint's stream is garbled: {type(error).__name__}") from error
        except (EventStreamError, HTTPError) as error:
            raise ModelStreamCutError(f"the model's stream broke off: {type(error).__name__}") from error
        except ClientError as error:
            raise _refusal(error) from error
        except BotoCoreError as error:
            raise _connection_failure(error) from error


def patient_for(seconds: int) -> Config:
    """Return how a client calls a model that may be silent that long.

    Until headers come nobody can hang up, so that this alone ends the thread of a call that was given up. One attempt,
    because only the machine tries again.
    """
    return Config(connect_timeout=2, read_timeout=seconds, retries={"total_max_attempts": 1})


@lru_cache(_CLIENTS_KEPT)
def _connect(seconds: int) -> "SageMakerRuntimeClient":
    # The stubs leave boto3.client partly unknown wherever one service's stubs are missing.
    boto3 = importlib.import_module("boto3")
    client: SageMakerRuntimeClient = boto3.client("sagemaker-runtime", config=patient_for(seconds))
    return client


def _hang_up(events: object) -> None:
    """Shut the socket down: to close it would wait for the thread that reads from it."""
    raw = vars(events).get("_raw_stream")
    if isinstance(raw, HTTPResponse):
        with suppress(OSError, ValueError, RuntimeError):
            raw.shutdown()


def _connection_failure(error: BotoCoreError) -> ModelError:
    what = type(error).__name__
    if isinstance(error, NoCredentialsError):
        return ModelKeyRefusedError("no AWS credentials to ask the endpoint with")
    if isinstance(error, ConnectionError | ParamValidationError):
        return ModelUnavailableError(f"the endpoint could not be reached: {what}")
    if isinstance(error, ReadTimeoutError):
        return ModelSilentError(f"the endpoint did not answer: {what}")
    return ModelStreamCutError(f"the connection broke off: {what}")


def _refusal(error: ClientError) -> ModelError:
    code = error_code(error)
    message = error.response.get("Error", {}).get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    if code == "ModelError":
        return _of_the_model(error)
    what = f"the endpoint answered {code} with status {status}"
    if code in ENDPOINT_BUSY_CODES:
        return ModelBusyError(what)
    if code in _KEY_CODES:
        return ModelKeyRefusedError(f"{what}: let this function's role invoke it")
    return refused(Refusal(status=status, codes=frozenset({code}), text=message), {})


def _of_the_model(error: ClientError) -> ModelError:
    """Return what the container behind the endpoint answered: SageMaker passes its status and body on, no headers."""
    original, body = error.response.get("OriginalStatusCode"), error.response.get("OriginalMessage")
    status = original if isinstance(original, int) else 500
    return refused(read_refusal(status, body.encode() if isinstance(body, str) else b""), {})
