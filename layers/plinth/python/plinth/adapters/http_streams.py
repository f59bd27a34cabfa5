"""How the answer to an HTTP call is read safely: a connection that can be hung up on, bounded waits, typed failures."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from http import HTTPStatus

import httpx2

from plinth.adapters.model_deadline import longest_silence
from plinth.adapters.provider_failures import read_refusal, refused
from plinth.contracts.models import TimeLimits
from plinth.errors import (
    ModelError,
    ModelReplyInvalidError,
    ModelSilentError,
    ModelStreamCutError,
    ModelUnavailableError,
)

# A connection that died while its Lambda was frozen fails the next call as if the model had begun, which is charged.
ONE_CALL_EACH = httpx2.Limits(max_keepalive_connections=0)

_MAX_REFUSAL_BYTES = 64 * 1024
_REFUSAL_SECONDS = 1.0
_CONNECT_SECONDS = 5.0
_NEVER_ASKED = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.LocalProtocolError,  # what can't be said in HTTP, a header with a line end for one
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


def timeouts(limits: TimeLimits) -> httpx2.Timeout:
    """Return how long the socket may wait."""
    silence = longest_silence(limits)
    return httpx2.Timeout(silence, connect=min(_CONNECT_SECONDS, silence))


def transport_failure(error: BaseException | None) -> ModelError:
    """Return what a broken connection means: once the request was sent, the model may have worked."""
    what = type(error).__name__
    if isinstance(error, _NEVER_ASKED):
        return ModelUnavailableError(f"the provider could not be reached: {what}")
    if isinstance(error, httpx2.TimeoutException):
        return ModelSilentError(f"the provider did not answer in time: {what}")
    return ModelStreamCutError(f"the connection broke off: {what}")


def hang_up(answer: httpx2.Response) -> Callable[[], None]:
    """Return what ends the connection of an answer that another thread may be waiting for.

    To close a socket does not wake who reads from it; to shut it down does.
    """
    return partial(_shut_down, answer.extensions["network_stream"].get_extra_info("socket"))


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def expect_events(answer: httpx2.Response) -> None:
    """Raise `ModelReplyInvalidError` where a good status brings no event stream, as a proxy's own page would."""
    kind = answer.headers.get("content-type", "")
    if not kind.startswith("text/event-stream"):
        raise ModelReplyInvalidError(f"the provider answered with content of type {kind.partition(';')[0]!r}")


def refusal_of(answer: httpx2.Response) -> ModelError:
    """Return what an answer that is not 200 means."""
    return refused(read_refusal(answer.status_code, answer.read()), answer.headers)


def shorten_refusal(answer: httpx2.Response) -> None:
    """Let the body of a refusal end when it is long or slow, as a hook of the client: its status says enough."""
    if answer.status_code != HTTPStatus.OK and isinstance(answer.stream, httpx2.SyncByteStream):
        answer.stream = _Shortened(answer, answer.stream)


class _Shortened(httpx2.SyncByteStream):
    def __init__(self, answer: httpx2.Response, stream: httpx2.SyncByteStream) -> None:
        self._answer = answer
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        patience = threading.Timer(_REFUSAL_SECONDS, hang_up(self._answer))
        patience.start()
        left = _MAX_REFUSAL_BYTES
        try:
            with suppress(httpx2.HTTPError):
                for piece in self._stream:
                    yield piece[:left]
                    left -= len(piece)
                    if left <= 0:
                        return
        finally:
            patience.cancel()

    def close(self) -> None:
        self._stream.close()
