"""How a prompt reaches Anthropic's models and what comes back: the vendor's SDK, translated.

The SDK's own retries are off: the state machine is the one layer that retries. Only a stream that reaches
`message_stop` with a known stop reason is an answer (a clean early end raises nothing in the SDK, seen in 2.12).
"""

from collections.abc import Generator, Iterator
from functools import partial

import anthropic
import boto3
import httpx2

from plinth.adapters.aws_calls import CALLS, store_errors
from plinth.adapters.model_deadline import within
from plinth.contracts.models import Message, ModelEnd, ModelRequest, Role, StopReason, TextChunk, Usage
from plinth.errors import (
    ModelBusyError,
    ModelError,
    ModelNotConfiguredError,
    ModelRequestRefusedError,
    ModelStreamCutError,
    ModelUnavailableError,
)

_STOP_REASONS = {
    "end_turn": StopReason.END,
    "stop_sequence": StopReason.END,
    "max_tokens": StopReason.MAX_TOKENS,
    "model_context_window_exceeded": StopReason.MAX_TOKENS,
    "refusal": StopReason.REFUSAL,
}
_BUSY_TYPES = {"rate_limit_error", "overloaded_error"}
_BUSY_STATUSES = {429, 529}
_KEY_STATUSES = {401, 403}


def key_from_secret(secret_arn: str) -> str:
    """Return the API key that the secret holds as its plain string; `ModelNotConfiguredError` where it holds none."""
    client = boto3.client("secretsmanager", config=CALLS)
    with store_errors("Secrets Manager"):
        try:
            key = client.get_secret_value(SecretId=secret_arn)["SecretString"]
        except client.exceptions.ResourceNotFoundException:  # a secret without a value, on AWS
            key = ""
    if not key:
        raise ModelNotConfiguredError("the secret of the Anthropic API key is empty: put the key into it")
    return key


class AnthropicModel:
    """`LanguageModel` over the Messages API. `base_url` points elsewhere in tests."""

    def __init__(self, *, api_key: str, base_url: str | None = None) -> None:
        self._client = anthropic.Anthropic(api_key=api_key, base_url=base_url, max_retries=0)

    def stream(self, request: ModelRequest) -> Iterator[TextChunk | ModelEnd]:
        """Yield text as it comes and the end last, all within `request.limits.total_seconds`; raise `ModelError`."""
        return within(request.limits.total_seconds, partial(self._read, request))

    def _read(self, request: ModelRequest) -> Generator[TextChunk | ModelEnd]:
        try:
            yield from self._events(request)
        except anthropic.APIStatusError as error:
            raise _from_status(error) from error
        except (anthropic.AnthropicError, httpx2.HTTPError, UnicodeDecodeError) as error:
            raise ModelUnavailableError(f"no whole answer from the provider: {type(error).__name__}") from error

    def _events(self, request: ModelRequest) -> Iterator[TextChunk | ModelEnd]:
        end = _End()
        with self._client.messages.create(
            model=request.model,
            max_tokens=request.max_output_tokens,
            system=request.prompt.system,
            messages=[_message(message) for message in request.prompt.messages],
            timeout=request.limits.total_seconds,
            stream=True,
        ) as events:
            for event in events:
                if event.type == "content_block_delta" and event.delta.type == "text_delta":
                    yield TextChunk(text=event.delta.text)
                end.see(event)
        yield end.whole()


class _End:
    """Gathers what the end of a stream must say."""

    def __init__(self) -> None:
        self._input = self._cached = self._output = 0
        self._stop_reason: StopReason | None = None
        self._stopped = False

    def see(self, event: anthropic.types.RawMessageStreamEvent) -> None:
        if event.type == "message_start":
            usage = event.message.usage
            self._input = usage.input_tokens + (usage.cache_creation_input_tokens or 0)
            self._cached = usage.cache_read_input_tokens or 0
        elif event.type == "message_delta":
            self._output = event.usage.output_tokens
            self._stop_reason = _STOP_REASONS.get(event.delta.stop_reason or "")
        elif event.type == "message_stop":
            self._stopped = True

    def whole(self) -> ModelEnd:
        if not self._stopped or self._stop_reason is None:
            raise ModelStreamCutError("the stream ended before message_stop with a known stop reason")
        usage = Usage(input_tokens=self._input, output_tokens=self._output, cached_input_tokens=self._cached)
        return ModelEnd(stop_reason=self._stop_reason, usage=usage)


def _message(message: Message) -> anthropic.types.MessageParam:
    if message.role is Role.USER:
        return {"role": "user", "content": message.text}
    return {"role": "assistant", "content": message.text}


def _from_status(error: anthropic.APIStatusError) -> ModelError:
    """Translate by status and type: an error inside a stream carries the stream's own status 200."""
    if error.status_code in _BUSY_STATUSES or error.type in _BUSY_TYPES:
        return ModelBusyError(f"the provider answered {error.type or error.status_code}", _retry_after(error))
    if error.status_code in _KEY_STATUSES:
        return ModelNotConfiguredError(
            "the provider refuses the API key: put one into the secret that may use the model"
        )
    if 400 <= error.status_code < 500:
        return ModelRequestRefusedError(f"the provider refuses the request: {error.type or error.status_code}")
    return ModelUnavailableError(f"the provider failed: {error.type or error.status_code}")


def _retry_after(error: anthropic.APIStatusError) -> float | None:
    value = error.response.headers.get("retry-after", "")
    return float(value) if value.replace(".", "", 1).isdigit() else None
