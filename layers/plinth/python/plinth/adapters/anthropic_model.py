"""How a prompt reaches Anthropic's models, with an API key or signed by AWS, and what their failures mean.

The SDK's own retries are off: the state machine is the one layer that retries. A clean early end raises nothing in the
SDK (seen in 2.12), so that only `message_stop` makes an answer.
"""

from collections.abc import Generator, Iterator
from functools import partial
from http import HTTPStatus

import anthropic
import httpx2
from botocore.session import Session

from plinth.adapters.anthropic_prompts import message_arguments
from plinth.adapters.anthropic_stream import MessageReader
from plinth.adapters.http_lines import bounded
from plinth.adapters.http_streams import (
    ONE_CALL_EACH,
    expect_events,
    hang_up,
    shorten_refusal,
    timeouts,
    transport_failure,
)
from plinth.adapters.model_deadline import Call, within
from plinth.adapters.provider_failures import Refusal, broken_off, refused
from plinth.adapters.provider_tokens import Token
from plinth.contracts.models import ModelRequest, StreamItem
from plinth.errors import (
    ModelError,
    ModelKeyRefusedError,
    ModelNotConfiguredError,
    ModelReplyInvalidError,
    ModelStreamCutError,
)


class AnthropicModel:
    """`LanguageModel` over the Messages API. `key` is read for every call, where the client has no other proof."""

    def __init__(self, client: anthropic.Anthropic, *, key: Token | None = None) -> None:
        self._client = client
        self._key = key

    def stream(self, request: ModelRequest) -> Iterator[StreamItem]:
        """Yield text as it comes and the end last, all within the limits; raise `ModelError`."""
        return within(request.limits, partial(self._read, request))

    def close(self) -> None:
        """Close the connections of the calls under way."""
        self._client.close()

    def _read(self, request: ModelRequest, call: Call) -> Generator[StreamItem]:
        reader = MessageReader(request.max_output_tokens, tell=call.tell)
        try:
            yield from self._events(request, call, reader)
        except anthropic.APIStatusError as error:
            raise self._failure(error, reader) from error
        except anthropic.APIConnectionError as error:
            raise transport_failure(error.__cause__) from error
        except httpx2.HTTPError as error:
            raise transport_failure(error) from error
        except UnicodeDecodeError as error:  # a letter cut in two at the end, which the SDK decodes all the same
            raise ModelStreamCutError("the stream ended in the middle of a letter") from error
        except (anthropic.AnthropicError, ValueError, RecursionError) as error:
            raise ModelReplyInvalidError("the stream holds what is no event") from error

    def _events(self, request: ModelRequest, call: Call, reader: MessageReader) -> Iterator[StreamItem]:
        client = self._client.with_options(api_key=self._key.value()) if self._key else self._client
        with client.messages.create(
            **message_arguments(request), stream=True, timeout=timeouts(request.limits)
        ) as events:
            expect_events(events.response)
            with call.connected(hang_up(events.response)):
                for event in events:
                    yield from reader.take(event)
                    if reader.stopped:  # a provider may hold the connection long after its last word
                        break
                yield reader.whole()

    def _failure(self, error: anthropic.APIStatusError, reader: MessageReader) -> ModelError:
        """Return what a refusal means: an error within a stream carries the stream's own status 200."""
        codes = frozenset(str(each) for each in (error.type, error.error_code) if each)
        refusal = Refusal(status=error.status_code, codes=codes, text=error.api_message or "")
        if error.status_code == HTTPStatus.OK:
            return broken_off(refusal, content=reader.content)
        failure = refused(refusal, error.response.headers)
        if isinstance(failure, ModelKeyRefusedError) and self._key:
            self._key.drop()
        return failure


def with_key(key: Token, *, base_url: str | None = None) -> AnthropicModel:
    """Return the models behind Anthropic's own API. Without `base_url` the SDK reads ANTHROPIC_BASE_URL."""
    client = anthropic.Anthropic(api_key="read for every call", base_url=base_url, max_retries=0, http_client=_http())
    return AnthropicModel(client, key=key)


def on_aws(*, region: str, workspace: str, base_url: str | None = None) -> AnthropicModel:
    """Return the models of Claude Platform on AWS, signed with this process's credentials; not verified on AWS.

    Without `base_url` the SDK takes ANTHROPIC_AWS_BASE_URL, or the region's own address. Raises
    `ModelNotConfiguredError` without credentials, which the SDK would only miss within a call.
    """
    if Session().get_credentials() is None:
        raise ModelNotConfiguredError("no AWS credentials to sign the calls of Claude Platform on AWS with")
    return AnthropicModel(
        anthropic.AnthropicAWS(
            aws_region=region, workspace_id=workspace, base_url=base_url, max_retries=0, http_client=_http()
        )
    )


def _http() -> httpx2.Client:
    """Return the SDK's own kind of client, whose streams end where a line gets too long.

    Unlike the SDK's it follows no redirect, which would take key and prompt to another host.
    """
    return anthropic.DefaultHttpxClient(
        headers={"accept-encoding": "identity"},
        event_hooks={"response": [_bound_lines, shorten_refusal]},
        follow_redirects=False,
        limits=ONE_CALL_EACH,
    )


class _BoundedStream(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        return bounded(self._stream)

    def close(self) -> None:
        self._stream.close()


def _bound_lines(response: httpx2.Response) -> None:
    if isinstance(response.stream, httpx2.SyncByteStream):
        response.stream = _BoundedStream(response.stream)
